"""What the model writes is told while it writes it, and no history grows by it."""

import asyncio
import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from spine_core import ErrorAction, Middleware, StepContext
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal import ActivityPolicy, DurableAgent, Run
from spine_temporal.client.run_event import RunEvent
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput
from tests.features.tokens.streaming import TEXTS, OnlyStreams, Streams, agent, told
from tests.support.agents_at_hand import Gate
from tests.support.counting import counted
from tests.support.harness import Durable, history_of
from tests.support.waiting import until

pytestmark = pytest.mark.durable

FIRST, LAST = "".join(TEXTS), "".join(TEXTS[::-1])


async def read(run: Run, events: list[RunEvent]) -> None:
    async for event in run.events(tokens=True):
        events.append(event)  # noqa: PERF401 - it is looked at meanwhile


def written(events: Sequence[RunEvent]) -> str:
    """What somebody who shows the tokens of the last step shows."""
    shown = ""
    for event in events:
        if event.type == "step_start":
            shown = ""
        elif event.type == "token":
            shown = event.data["delta"] if "replaces" in event.data else shown + event.data["delta"]
    return shown


@pytest.mark.parametrize("options", [{}, {"continue_policy": ContinuePolicy(events=1)}], ids=["whole", "continuing"])
async def test_a_stream_is_told_as_by_the_kernel(durable: Durable, options: dict[str, Any]) -> None:
    kernel = agent(Streams())
    theirs = [event async for event in kernel.stream("1 + 2?")]
    served = durable(agent(Streams()), **options)

    ours = [event async for event in served.stream("1 + 2?")]

    assert told(ours) == told(theirs)
    assert served.last_result is not None
    assert served.last_result.answer == LAST
    # Tokens are in no history, so the Result's trace has none.
    assert [event for event in told(ours) if event[0] != "token"] == told(served.last_result.trace)
    assert [event.seq for event in ours if event.type != "token"] == [*range(len(served.last_result.trace))]


async def test_it_is_told_while_the_model_writes_and_whoever_joins_late_is_told_the_text_so_far(
    durable: Durable,
) -> None:
    gate, early, late = Gate(), list[RunEvent](), list[RunEvent]()
    served = durable(agent(Streams(gate)))
    streamed = await served.start("1 + 2?", tokens=True)
    first = asyncio.create_task(read(streamed, early))
    await until(lambda: written(early) == TEXTS[0], "the first piece")
    second = asyncio.create_task(read(served.get_run(streamed.id), late))
    await until(lambda: written(late) == TEXTS[0], "the same for who joined late")
    assert told(early) == [("step_start", 1, {}), ("model_call", 1, {"messages": 2}), ("token", 1, {"delta": TEXTS[0]})]
    gate.open.set()
    await asyncio.gather(first, second)

    assert told(early) == told(late)
    assert written(early) == LAST


async def test_the_history_of_a_run_that_is_read_along_is_as_long_as_any_other(
    client: Client, durable: Durable
) -> None:
    served = durable(agent(Streams()))
    await served.run("1 + 2?")
    [event async for event in served.stream("1 + 2?")]

    alone, along = [[event.event_type for event in (await history_of(client, run)).events] for run in served.runs]
    assert sorted(alone) == sorted(along)


async def test_who_comes_late_to_a_run_that_nobody_read_along_does_so_from_the_next_step_on(durable: Durable) -> None:
    gate, tool_gate, events = Gate(), Gate(), list[RunEvent]()

    class Holds(Middleware):
        async def before_tool(self, ctx: Any) -> None:
            await tool_gate.pass_through()

    run = await durable(agent(Streams(gate), middleware=[Holds()])).start("1 + 2?")
    await tool_gate.begun.wait()
    reading = asyncio.create_task(read(run, events))
    await until(lambda: any(event.type == "model_response" for event in events), "the first step")
    assert written(events) == ""
    await asyncio.wait_for(_asked_to_write(run), 60)
    tool_gate.open.set()

    await until(lambda: written(events) == TEXTS[2], "the first piece of the next step")
    gate.open.set()
    await reading
    assert written(events) == LAST


async def test_who_leaves_while_a_run_is_asked_for_tokens_leaves_them_to_the_others(
    client: Client, durable: Durable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, tool_gate, asking, events = Gate(), Gate(), Gate(), list[RunEvent]()
    signal = client.workflow_service.signal_workflow_execution

    class Holds(Middleware):
        async def before_tool(self, ctx: Any) -> None:
            await tool_gate.pass_through()

    async def late(*args: Any, **options: Any) -> Any:
        await asking.pass_through()
        return await signal(*args, **options)

    run = await durable(agent(Streams(gate), middleware=[Holds()])).start("1 + 2?")
    await tool_gate.begun.wait()
    monkeypatch.setattr(client.workflow_service, "signal_workflow_execution", late)
    leaving = asyncio.create_task(read(run, []))
    await asking.begun.wait()
    reading = asyncio.create_task(read(run, events))
    await until(lambda: any(event.type == "model_response" for event in events), "the first step")
    leaving.cancel()
    await asyncio.wait({leaving})
    asking.open.set()
    await asyncio.wait_for(_asked_to_write(run), 60)
    tool_gate.open.set()

    await until(lambda: written(events) == TEXTS[2], "the first piece of the next step")
    gate.open.set()
    await reading


async def test_a_run_that_could_not_be_asked_for_tokens_as_the_server_was_away_is_asked_again(
    client: Client, durable: Durable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate, asked = Gate(), asyncio.Event()
    signal = client.workflow_service.signal_workflow_execution

    class Holds(Middleware):
        async def before_tool(self, ctx: Any) -> None:
            await gate.pass_through()

    async def away_at_first(*args: Any, **options: Any) -> Any:
        if not asked.is_set():
            asked.set()
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        return await signal(*args, **options)

    run = await durable(agent(Streams(), middleware=[Holds()])).start("1 + 2?")
    await gate.begun.wait()
    monkeypatch.setattr(client.workflow_service, "signal_workflow_execution", away_at_first)
    first, events = asyncio.create_task(read(run, [])), list[RunEvent]()
    await asked.wait()
    second = asyncio.create_task(read(run, events))
    await asyncio.wait_for(_asked_to_write(run), 60)
    gate.open.set()
    await asyncio.gather(first, second)

    assert written(events) == LAST
    assert "each text comes when it is complete" not in caplog.text


async def test_an_attempt_that_failed_is_replaced_by_the_next_one(durable: Durable) -> None:
    gate, events = Gate(), list[RunEvent]()
    failed = asyncio.Event()

    def fails(at: int) -> None:
        if at == 0:
            failed.set()
            raise TimeoutError("the line is dead")

    policy = ActivityPolicy(retry_first_s=0.01)
    served = durable(agent(Streams(gate, fails=fails)), client_options={"step_policy": policy})
    run = await served.start("1 + 2?", tokens=True)
    reading = asyncio.create_task(read(run, events))
    await until(lambda: written(events) == TEXTS[0], "the first piece")
    gate.open.set()
    await reading

    assert failed.is_set()
    assert [event.data for event in events if event.type == "token" and event.step == 1][1]["replaces"] is True
    first = [event for event in events if event.step == 1]
    assert written(first) == FIRST
    assert written(events) == LAST


async def test_a_call_that_a_middleware_makes_again_begins_the_text_anew(durable: Durable) -> None:
    gate, events = Gate(), list[RunEvent]()

    def fails(at: int) -> None:
        if at == 0:
            raise ValueError("garbled")

    class Again(Middleware):
        async def on_error(self, ctx: StepContext, error: Exception) -> ErrorAction:
            return ErrorAction.RETRY

    served = durable(agent(Streams(gate, fails=fails), middleware=[Again()]))
    run = await served.start("1 + 2?", tokens=True)
    reading = asyncio.create_task(read(run, events))
    await until(lambda: written(events) == TEXTS[0], "the first piece")
    gate.open.set()
    await reading

    first = [event for event in events if event.step == 1]
    assert written(first) == FIRST
    assert [event.data["error"] for event in first if event.type == "error"] == ["garbled"]


async def test_a_text_that_a_hook_rewrites_is_replaced(durable: Durable) -> None:
    class Shouts(Middleware):
        async def after_model(self, ctx: StepContext) -> None:
            assert ctx.response is not None
            ctx.response.message.content = str(ctx.response.message.content).upper()

    served = durable(agent(Streams(), middleware=[Shouts()]))

    events = [event async for event in served.stream("1 + 2?")]

    assert served.last_result is not None
    assert written(events) == served.last_result.answer == LAST.upper()


async def test_a_provider_that_only_streams_is_only_asked_to(durable: Durable) -> None:
    served = durable(agent(OnlyStreams()))

    assert written([event async for event in served.stream("1 + 2?")]) == LAST


async def test_a_provider_that_does_not_stream_tells_no_tokens(durable: Durable) -> None:
    class Completes:
        async def complete(self, messages: Any, tools: Any = None, **_: Any) -> Any:
            return await Streams().complete(messages)

    served = durable(agent(Completes()))

    events = [event async for event in served.stream("1 + 2?")]

    assert served.last_result is not None
    assert told(events) == told(served.last_result.trace)


async def test_half_of_a_surrogate_pair_is_made_readable_as_in_the_conversation(durable: Durable) -> None:
    class Broken(Streams):
        async def stream(self, messages: Any, tools: Any = None, **_: Any) -> Any:
            async for chunk in super().stream(messages):
                if chunk.response is not None:
                    chunk.response.message.content = f"{LAST}\ud800"
                yield chunk

    served = durable(agent(Broken()))

    events = [event async for event in served.stream("1 + 2?")]

    assert served.last_result is not None
    assert written(events) == served.last_result.answer == f"{LAST}\ufffd"


async def test_each_turn_of_a_session_is_read_along_if_it_was_asked_for(durable: Durable) -> None:
    served, session = durable(agent(Streams())), f"along-{uuid.uuid4().hex}"

    asked = [event async for event in served.stream("1 + 2?", session_id=session)]
    await served.run("1 + 2?", session_id=session)
    again = [event async for event in served.stream("1 + 2?", session_id=session)]

    assert written(asked) == written(again) == LAST


async def test_who_may_read_and_not_signal_is_told_each_event(
    client: Client, durable: Durable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate, events = Gate(), list[RunEvent]()

    class Holds(Middleware):
        async def before_tool(self, ctx: Any) -> None:
            await gate.pass_through()

    async def refuse(*_: Any, **__: Any) -> None:
        raise RPCError("you may not", RPCStatusCode.PERMISSION_DENIED, b"")

    run = await durable(agent(Streams(), middleware=[Holds()])).start("1 + 2?")
    await gate.begun.wait()
    monkeypatch.setattr(client.workflow_service, "signal_workflow_execution", refuse)
    reading = asyncio.create_task(read(run, events))
    await until(lambda: "you may not" in caplog.text, "the warning")
    gate.open.set()
    await asyncio.wait_for(reading, 60)

    assert told(events) == told((await run.result()).trace)


class Odd(PayloadCodec):
    """Fails at what is being written, and at nothing else."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(b'"written"' in each.data for each in payloads):
            raise ValueError("an odd payload")
        return list(payloads)


async def test_a_codec_that_fails_costs_the_tokens_and_not_the_events(
    client: Client, durable: Durable, caplog: pytest.LogCaptureFixture
) -> None:
    gate, events = Gate(), list[RunEvent]()
    config = client.config()
    config["data_converter"] = dataclasses.replace(client.data_converter, payload_codec=Odd())
    run = await durable(agent(Streams(gate))).start("1 + 2?", tokens=True)
    reading = asyncio.create_task(read(DurableAgent("agent", Client(**config)).get_run(run.id), events))
    await until(lambda: "an odd payload" in caplog.text, "the warning")
    gate.open.set()
    await asyncio.wait_for(reading, 60)

    assert written(events) == LAST


async def test_many_who_read_along_cost_what_one_does(client: Client, durable: Durable) -> None:
    served, cost = durable(agent(Streams())), []
    for readers in (1, 50):
        run = await served.start("1 + 2?", tokens=True)
        texts = [list[RunEvent]() for _ in range(readers)]
        with counted(client) as requests:
            await asyncio.gather(*(read(run, events) for events in texts))
        assert {written(events) for events in texts} == {LAST}
        cost.append(requests.total())

    assert cost[1] < 3 * cost[0] + 10, f"fifty sent {cost[1]} requests, one {cost[0]}"


async def _asked_to_write(run: Run) -> None:
    client = run._client

    async def signaled() -> bool:
        return any(
            event.workflow_execution_signaled_event_attributes.signal_name == names.STREAM_SIGNAL
            for event in (await history_of(client, run)).events
        )

    await until(signaled, "the request to read along")


@pytest.mark.parametrize("every_s", [0, -1, 0.001, float("nan"), "often", None])
async def test_a_pause_that_makes_no_sense_is_refused(client: Client, every_s: Any) -> None:
    with pytest.raises(BadInput, match="tokens_every_s"):
        DurableAgent("agent", client, tokens_every_s=every_s)


async def test_a_malformed_request_to_read_along_is_passed_over(client: Client, durable: Durable) -> None:
    gate = Gate()

    class Holds(Middleware):
        async def before_tool(self, ctx: Any) -> None:
            await gate.pass_through()

    run = await durable(agent(Streams(), middleware=[Holds()])).start("1 + 2?")
    await gate.begun.wait()
    handle = client.get_workflow_handle(run.workflow_id)
    for argument in ({"tokens_every_s": 0}, {"tokens_every_s": "x"}, {}, None):
        await handle.signal(names.STREAM_SIGNAL, argument)
    gate.open.set()

    assert (await run.result()).answer == LAST
