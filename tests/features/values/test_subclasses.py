"""Messages and calls of a provider's own classes: it gets back what it needs, on any worker."""

import gc
import subprocess
import sys
from typing import Any

import pytest
from spine_core import Agent, Interrupt, Message, ModelResponse, Role, StepContext, StopReason, ToolCall, tool
from spine_core.testing import ScriptedProvider
from temporalio.client import Client

from spine_temporal import ContinuePolicy, TemporalCheckpoint
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.messages import RecordedMessage
from spine_temporal.contracts.state_delta import StateDelta
from tests.features.sessions.talk import new_session
from tests.features.values.signing import SignedCall, SignedMessage, Signer
from tests.support.harness import NORMAL, ONLY_NORMAL, Durable, assert_same

pytestmark = pytest.mark.durable


@tool
async def look(place: str) -> str:
    """Look somewhere."""
    return f"nothing in {place}"


@tool
async def ask() -> str:
    """Ask a person."""
    raise Interrupt("?")


def looking(place: str) -> ToolCall:
    return SignedCall(id=f"call_{place}", name="look", arguments={"place": place}, thought=f"perhaps in {place}")


def signer() -> Signer:
    return Signer(
        [looking("box"), ToolCall(id="call_plain", name="look", arguments={"place": "bag"})], [looking("car")]
    )


class Watching:
    """Middleware that sees calls and messages, so that the State is copied for it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def before_tool(self, ctx: Any) -> None:
        self.seen.append(getattr(ctx.call, "thought", None))
        ctx.state.messages[0].content = "go!"


@pytest.mark.parametrize("watched", [False, True], ids=["", "with hooks"])
async def test_provider_gets_its_own_messages_back_as_on_the_kernel(durable: Durable, watched: bool) -> None:
    ours, theirs, watching, kernels = signer(), signer(), Watching(), Watching()

    result = await durable(Agent(ours, tools=[look], middleware=[watching] if watched else [])).run("go")

    assert_same(result, await Agent(theirs, tools=[look], middleware=[kernels] if watched else []).run("go"))
    assert ours.got == theirs.got
    assert watching.seen == kernels.seen
    assert ours.got[-1][0][:2] == ("SignedMessage", "signed 0")
    assert ours.got[-1][0][3] == [("SignedCall", "perhaps in box"), ("ToolCall", None)]
    assert result.state.messages[-1] == SignedMessage(role=Role.ASSISTANT, content="done", signature="signed 2")


async def test_signatures_outlive_a_pause_and_a_turn(durable: Durable) -> None:
    provider, session = Signer([ToolCall(id="call_0", name="ask")], [], []), new_session()
    served = durable(Agent(provider, tools=[ask]))

    paused = await served.run("go", session_id=session)
    await served.resume(str(paused.resume_token), "yes")
    await served.run("more", session_id=session)

    assert [each[:2] for each in provider.got[-1]] == [("SignedMessage", "signed 0"), ("SignedMessage", "signed 1")]


@pytest.mark.parametrize("mode", [NORMAL], ids=["normal"], indirect=True)
async def test_signatures_outlive_the_execution_in_which_they_were_made(durable: Durable) -> None:
    provider = Signer(*([looking(f"box {n}")] for n in range(8)))
    served = durable(Agent(provider, tools=[look]), continue_policy=ContinuePolicy(events=20))

    result = await served.run("go")

    assert result.answer == "done"
    assert [each[1] for each in provider.got[-1]] == [f"signed {n}" for n in range(8)]
    assert all(each[3][0][0] == "SignedCall" for each in provider.got[-1])


class Loose(Message):
    """A message whose field JSON cannot hold."""

    client: Any = None


@ONLY_NORMAL
async def test_field_that_cannot_be_recorded_ends_the_run_naming_class_and_field(durable: Durable) -> None:
    answer = ModelResponse(message=Loose(role=Role.ASSISTANT, content="done", client=object()))

    result = await durable(Agent(ScriptedProvider(answer))).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "'client' of tests.features.values.test_subclasses.Loose" in str(result.error)


def test_message_of_a_class_that_is_not_loaded_has_its_fields_as_attributes() -> None:
    class Passing(Message):
        signature: str

    class PassingCall(ToolCall):
        thought: str

    call = PassingCall(id="call_0", name="look", thought="hm")
    made = StateDelta(messages=[Passing(role=Role.ASSISTANT, content="done", signature="mine", tool_calls=[call])])
    written = dump(made)
    del Passing, PassingCall, made, call
    gc.collect()
    script = (
        "import sys; from spine_temporal.contracts.base import dump, load; "
        "from spine_temporal.contracts.state_delta import StateDelta; "
        "data = sys.stdin.buffer.read(); delta = load(StateDelta, data); message = delta.messages[0]; "
        "assert message.signature == 'mine' and message.tool_calls[0].thought == 'hm', message; "
        "assert message.model_copy(deep=True) == message; "
        "assert dump(delta) == data, dump(delta)"
    )

    subprocess.run([sys.executable, "-c", script], input=written, check=True, timeout=60)


def test_nothing_is_imported_because_a_history_names_it() -> None:
    data = b'{"messages":[{"role":"user","subclass":{"class":"antigravity.Message","fields":{"signature":"mine"}}}]}'

    message = load(StateDelta, data).messages[0]

    assert isinstance(message, RecordedMessage)
    assert message.recorded_class == "antigravity.Message"
    assert message.signature == "mine"  # type: ignore[attr-defined]
    assert "antigravity" not in sys.modules


def test_class_that_has_changed_gives_its_old_fields_as_attributes() -> None:
    name = "tests.features.values.signing.SignedMessage"
    data = f'{{"messages":[{{"role":"user","subclass":{{"class":"{name}","fields":{{"signature":5}}}}}}]}}'

    message = load(StateDelta, data.encode()).messages[0]

    assert isinstance(message, RecordedMessage)
    assert message.signature == 5  # type: ignore[attr-defined]


class Rewriting:
    """Middleware that puts a message in the place of the model's."""

    async def after_model(self, ctx: StepContext) -> None:
        if ctx.response is not None:
            ctx.state.messages[0] = SignedMessage(role=Role.USER, content="go", signature="the hook's")


async def test_message_that_a_hook_puts_in_place_keeps_its_class(durable: Durable) -> None:
    def agent() -> Agent:
        return Agent(signer(), tools=[look], middleware=[Rewriting()])

    result = await durable(agent()).run("go")

    assert_same(result, await agent().run("go"))
    assert result.state.messages[0] == SignedMessage(role=Role.USER, content="go", signature="the hook's")


@ONLY_NORMAL
async def test_checkpoint_keeps_the_fields_of_subclasses_put_whole_or_as_a_difference(
    client: Client, durable: Durable
) -> None:
    store, session = TemporalCheckpoint(client, cache_bytes=0), new_session()
    agent = Agent(signer(), tools=[look], checkpoint=store)

    result = await agent.run("go", session_id=session)

    assert await store.get(session) == result.state
    await store.delete(session)
