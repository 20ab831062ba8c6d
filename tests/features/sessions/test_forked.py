"""A new run from the middle of another one; a run pulled for an offline replay."""

import pytest
from spine_core import Agent, Message, State, Tool
from spine_core.testing import ScriptedProvider, text
from spine_middleware import Replayer
from temporalio.client import Client

from spine_temporal import recording
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput
from spine_temporal.history.folded import fold_execution
from tests.features.sessions.talk import new_session, parrot, texts
from tests.support.agents_at_hand import Gate, add
from tests.support.harness import Durable, history_of
from tests.support.waiting import until

pytestmark = pytest.mark.durable


class Keeping:
    """A checkpoint store that keeps every put."""

    def __init__(self) -> None:
        self.puts: list[State] = []

    async def put(self, state: State) -> None:
        self.puts.append(state.model_copy(deep=True))

    async def get(self, session_id: str) -> State | None:
        return self.puts[-1].model_copy(deep=True) if self.puts else None

    async def delete(self, session_id: str) -> None:
        self.puts.clear()


SAID = ("hello", "add 1 2 3 4", "bye")


@pytest.mark.parametrize("policy", [ContinuePolicy(), ContinuePolicy(events=1)], ids=["one execution", "many"])
async def test_fork_begins_with_the_state_after_the_step(durable: Durable, policy: ContinuePolicy) -> None:
    served, session, kept = durable(parrot(), continue_policy=policy), new_session(), Keeping()
    kernel = parrot(checkpoint=kept)
    for said in SAID:
        await served.run(said, session_id=session)
        await kernel.run(said, session_id="s")
    original = served.get_run(session)

    async def is_idle() -> bool:
        handle = served._client.get_workflow_handle(original.workflow_id)
        described = (await handle.describe()).raw_description
        return not described.HasField("pending_workflow_task") and not described.pending_activities

    # The last turn is over before the execution has begun that the session waits in.
    await until(is_idle, "the session")
    before = (await history_of(served._client, original)).events

    for step in range(1, 5):
        after = next(state for state in kept.puts if state.step == step)
        result = await (await original.fork(step=step, input="rather")).result()

        assert result.state.messages == [*after.messages, Message.user("rather"), Message.assistant("heard rather")]
        assert result.state.step == step + 1
    assert (await history_of(served._client, original)).events == before


async def test_fork_without_input_goes_on_from_there(durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    whole = await served.run("add 1 2", session_id=session)

    fork = await served.get_run(session).fork(step=1)

    assert (await fork.result()).state.messages == whole.state.messages


async def test_fork_of_a_fork_tells_where_it_comes_from(client: Client, durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    await served.run("one", session_id=session)
    first = await served.get_run(session).fork(step=1, input="two", session_id=new_session())
    await first.result()

    second = await first.fork(step=1, input="three")

    assert texts((await second.result()).state) == ["one", "heard one", "three", "heard three"]
    origin = (await fold_execution(client, (second.workflow_id, ""))).origin
    assert origin is not None
    assert (origin.workflow_id, origin.step) == (first.workflow_id, 1)


async def test_fork_before_the_first_step_says_something_else(durable: Durable) -> None:
    served = durable(parrot())
    run = await served.start("one")
    await run.result()

    result = await (await run.fork(step=0, input="two")).result()

    assert texts(result.state) == ["one", "two", "heard two"]


async def test_fork_that_cannot_be_is_refused(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    await served.run("one", session_id=session)
    run = served.get_run(session)

    with pytest.raises(BadInput, match="has taken 1 step; there is nothing after step 7"):
        await run.fork(step=7)
    with pytest.raises(BadInput, match="steps count from 1"):
        await run.fork(step=-1)
    with pytest.raises(BadInput, match="says nothing"):
        await run.fork(step=1, input=" ")
    with pytest.raises(BadInput, match=f"there is a session '{session}' already"):
        await run.fork(step=1, input="two", session_id=session)


def replaying(said: dict[str, object], tools: list[Tool]) -> Agent:
    return Agent(ScriptedProvider(text("never asked")), tools=tools, system="repeat", middleware=[Replayer(said)])


async def test_recorded_run_happens_again_on_the_kernel(durable: Durable) -> None:
    served = durable(parrot())
    run = await served.start("add 1 2 3 4")
    ours = await run.result()

    again = await replaying(await recording(run), [add]).run("add 1 2 3 4")

    assert again.answer == ours.answer
    assert again.state.messages == ours.state.messages
    assert [(event.type, event.step) for event in again.trace if event.type != "tool_call"] == [
        (event.type, event.step) for event in ours.trace if event.type != "tool_call"
    ]


async def test_recording_is_of_the_turn_that_the_run_stands_for(durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    first = await served.start("add 1 2", session_id=session)
    await first.result()
    await served.run("bye", session_id=session)

    of_first, of_last = await recording(first), await recording(served.get_run(session))

    assert (len(of_first["model"]), of_first["tool"]) == (2, ["3"])
    assert (len(of_last["model"]), of_last["tool"]) == (1, [])


async def test_fork_that_is_opened_again_still_tells_where_it_comes_from(client: Client, durable: Durable) -> None:
    served, session, forked = durable(parrot(), client_options={"session_ttl_s": 0}), new_session(), new_session()
    await served.run("one", session_id=session)
    fork = await served.get_run(session).fork(step=1, input="two", session_id=forked)
    await fork.result()

    again = await served.run("three", session_id=forked)

    assert texts(again.state) == ["one", "heard one", "two", "heard two", "three", "heard three"]
    origin = (await fold_execution(client, (fork.workflow_id, ""))).origin
    assert origin is not None
    assert origin.step == 1
