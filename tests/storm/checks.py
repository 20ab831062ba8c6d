"""What holds after a storm."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from spine_core import Result, State, StopReason
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowHistory

from spine_temporal.errors import RunFailed
from tests.storm.followers import Said, first_events, had_anew, last_result
from tests.storm.storming import Storming
from tests.storm.world import Effect, parse
from tests.support.harness import replay

_HARMLESS: Final = {
    # The history grew while the workflow wanted to end; or somebody reset it.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
}


# How long a result is on its way from the history to who waits for it, with room.
_IN_PASSING_S: Final = 0.5


async def check(storming: Storming) -> None:
    """Hold everything that was acknowledged against what came of it."""
    state = await storming.run.state()
    last = await storming.run.result()
    assert not last.interrupted
    assert state == last.state, "the fold is not the last Result"
    check_calls(storming, state)
    for said in storming.said:
        await check_turn(storming, said, state)
    for key, effects in storming.world.effects.items():
        check_effects(storming, key, effects)
    await check_histories(storming.client, storming.run.workflow_id)


async def check_turn(storming: Storming, said: Said, state: State) -> None:
    live, fresh = await said.waiting, await last_result(had_anew(said.run))
    if said.told_s > storming.reset_s + _IN_PASSING_S:
        # Who was told before a reset, or while it fell, was told what it took back.
        check_told(live, fresh)
    if storming.resets and await was_cut_off(said):
        return
    check_said(storming, said, live, state)
    if storming.resets:
        # How it ended may have been taken back, and the turn of that number by now be another one.
        return
    if isinstance(live, RunFailed):
        assert storming.cancelled or storming.stopped, live
        return
    if live.stopped_reason is StopReason.FINAL:
        assert live.answer == answer_to(said)
    elif live.stopped_reason in (StopReason.MAX_STEPS, StopReason.MAX_COST):
        assert storming.guarded
    else:
        assert live.stopped_reason is StopReason.CANCELLED, live.error
        assert storming.cancelled or storming.stopped
    seen, all_ = await said.followed, await first_events(had_anew(said.run))
    told = [(event.type, event.step, event.data) for event in all_]
    assert [(event.type, event.step, event.data) for event in seen] == told[: len(seen)]


def check_said(storming: Storming, said: Said, live: Result | RunFailed, state: State) -> None:
    """What the user said stands there once, and its answer, unless something has ended the turn before."""
    times = [str(message.content) for message in state.messages if message.role == "user"].count(said.text)
    answers = [message.content for message in state.messages if message.role == "assistant"].count(answer_to(said))
    # What waited when a session was closed never began. After a reset, who was told so may be another.
    closed = isinstance(live, RunFailed) or (storming.cancelled and live.stopped_reason is StopReason.CANCELLED)
    taken_back = storming.resets and storming.cancelled
    assert (0 if closed or taken_back else 1) <= times <= 1, f"{said.text!r} stands {times} times"
    cut_short = storming.cancelled or storming.stopped or storming.guarded
    assert (0 if cut_short else times) <= answers <= times, f"{said.text!r} is answered {answers} times"


async def was_cut_off(said: Said) -> bool:
    """Whether the chain of executions that took it was ended by a reset of the one before it, which had just closed."""
    client, workflow_id = said.run._client, said.run.workflow_id
    chain = await chain_of(client, workflow_id, said.run.run_id)
    if chain == await chain_of(client, workflow_id):
        return False
    ends = {history.events[-1].event_type async for history in all_executions(client, workflow_id, chain)}
    return ends <= {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }


def answer_to(said: Said) -> str:
    return f"done {parse(said.text)[0]}"


def check_told(live: Result | RunFailed, fresh: Result | RunFailed) -> None:
    said = f"who waited was told {live!r}, who came later {fresh!r}"
    if isinstance(live, RunFailed):
        assert isinstance(fresh, RunFailed), said
    else:
        assert live == fresh, said


def check_calls(storming: Storming, state: State) -> None:
    """Every call of the conversation has one result; of a turn that was ended before, when there is a next one."""
    asked = Counter(call.id for message in state.messages for call in message.tool_calls)
    told = Counter(str(message.tool_call_id) for message in state.messages if message.role == "tool")
    last = [message for message in state.messages if message.role == "assistant"][-1:]
    may_lack = {call.id for message in last for call in message.tool_calls}
    assert max(asked.values(), default=1) == max(told.values(), default=1) == 1, "a call stands there twice"
    assert not told - asked, "a result of no call"
    assert not (asked - told).keys() - may_lack, "a call has no result"
    contents = {message.tool_call_id: str(message.content) for message in state.messages if message.role == "tool"}
    for call, content in contents.items():
        if content.startswith("did "):
            assert content == f"did {str(call).removeprefix('c-')}"
            assert storming.world.effects[str(call).removeprefix("c-")], f"{call} says it was done, it was not"
    calls = Counter(decided.receipt.call_id for decided in storming.decided)
    approved = {decided.receipt.call_id: decided.receipt.approved for decided in storming.decided}
    for call_id, number in calls.items():
        if storming.resets or storming.swaps or storming.differ:
            # A call that a reset has taken back, or that another agent has no use for, is asked and decided anew.
            continue
        assert number == 1, f"{number} decisions on {call_id} were accepted"
        if not approved[call_id]:
            assert not storming.world.effects.get(call_id.removeprefix("c-")), f"{call_id} was rejected, and done"


def check_effects(storming: Storming, key: str, effects: list[Effect]) -> None:
    """Done once; again only by another attempt of the same activity, when the worker was told to go.

    After a reset it may be done again, by another execution. A local one may be done again whenever its workflow task
    is, and that may come to continue as new instead: it has said that it may be.
    """
    runs = {effect.run_id for effect in effects if not effect.local}
    assert len(runs) <= 1 + storming.resets, f"{key} was done by several executions: {effects}"
    for run_id in runs:
        there = [effect for effect in effects if effect.run_id == run_id and not effect.local]
        assert len({effect.activity_id for effect in there}) == 1, f"{key} was done by several activities: {there}"
        assert len({effect.attempt for effect in there}) == len(there), f"{key} was done twice: {there}"
        assert storming.swaps or len(there) == 1, f"{key} was done {len(there)} times: {there}"


async def check_histories(client: Client, workflow_id: str) -> None:
    """All executions replay, none has failed a task, none fails one now; so for those who work for them."""
    described = await client.get_workflow_handle(workflow_id).describe()
    assert described.raw_description.pending_workflow_task.attempt <= 1
    children = set[str]()
    async for history in all_executions(client, workflow_id, await chain_of(client, workflow_id)):
        check_tasks(history)
        await replay(history)
        children |= {
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            for event in history.events
            if event.HasField("child_workflow_execution_started_event_attributes")
        }
    for child in sorted(children):
        await check_histories(client, child)


async def chain_of(client: Client, workflow_id: str, run_id: str | None = None) -> str:
    """The execution that the chain of executions began with that one belongs to; without a `run_id`, the latest."""
    described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe()
    return described.raw_description.workflow_execution_info.first_run_id


async def all_executions(client: Client, workflow_id: str, chain: str) -> AsyncIterator[WorkflowHistory]:
    """The histories of a chain of executions, also of those that a reset has cut off."""
    ahead = [chain]
    while ahead:
        handle = client.get_workflow_handle(workflow_id, run_id=ahead.pop())
        history = await handle.fetch_history()
        yield history
        continued = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        reset = (await handle.describe()).raw_description.workflow_extended_info.reset_run_id
        ahead += [run_id for run_id in (continued, reset) if run_id]


def check_tasks(history: WorkflowHistory) -> None:
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            assert failed.cause in _HARMLESS, failed
