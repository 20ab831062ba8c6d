"""Agents that work one after another under one name."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from spine_core import Agent, Guards, StopReason
from spine_core.testing import text
from spine_orchestration import Handoff as KernelHandoff
from spine_orchestration import Sequential
from temporalio.client import WorkflowExecutionStatus

from spine_temporal import Handoff
from spine_temporal.client.describe_run import describe_run
from spine_temporal.errors import BadInput
from spine_temporal.history.folded import fold_execution
from spine_temporal.journal.ledger import subagents_of
from tests.features.teams.crews import Boss, Call, Finds, Raises, ask, asking_leave, boss_of, finder, tokens, waiting
from tests.features.teams.serving import Crew, is_over, until_told_to_stop
from tests.features.teams.test_approvals_below import PAYLOAD, ended
from tests.support.agents_at_hand import Gate, adding_agent
from tests.support.harness import assert_same
from tests.support.subagents import run_below, workflow_below

pytestmark = pytest.mark.durable

HANDOFFS = pytest.mark.parametrize("team", [KernelHandoff, Handoff], ids=["spines", "ours"])

type Team = Callable[..., Any]


def hands_to(peer: str, **arguments: Any) -> Agent:
    """Transfers to a peer, then says so."""
    call: Call = (f"transfer_to_{peer}", arguments)
    return Agent(Boss([call]))


async def path_of(crew: Crew, workflow_id: str) -> list[str]:
    """Who worked for a team, in order."""
    return [each.agent for each in subagents_of(await fold_execution(crew.client, (workflow_id, "")))]


async def test_sequential_hands_each_answer_to_the_next(crew: Crew) -> None:
    def team() -> Sequential:
        return Sequential(finder(), finder(), adding_agent(None))

    run = await (await crew.serve({"line": team()}, "line")).start("otters")

    assert_same(await run.result(), await team().run("otters"))
    assert [(await crew_state(crew, run.workflow_id, n)) for n in (1, 2, 3)] == [
        "otters",
        "found otters",
        "found found otters",
    ]
    assert await path_of(crew, run.workflow_id) == ["line/1", "line/2", "line/3"]


async def test_the_events_of_a_team_are_its_members_and_are_read_on_from_any(crew: Crew) -> None:
    team = Sequential(finder(), finder(), adding_agent(None))
    run = await (await crew.serve({"line": team}, "line")).start("otters")
    await run.result()
    events = [event async for event in run.events()]
    ids = [event.id for event in events]

    assert [id_.partition("/")[0] for id_ in ids if "/" in id_] == sorted(id_.partition("/")[0] for id_ in ids)
    assert {id_.partition("/")[0] for id_ in ids} == {"1", "2", "3"}
    assert len({*ids}) == len(ids)
    for at, id_ in enumerate(ids):
        assert [event.id async for event in run.events(after=id_)] == ids[at + 1 :]


async def test_sequential_hands_an_empty_text_on_when_there_is_no_answer(crew: Crew) -> None:
    def team() -> Sequential:
        return Sequential(Agent(Raises()), Agent(Finds()))

    result = await (await crew.serve({"line": team()}, "line")).run("otters")

    assert result.answer == "found "
    assert_same(result, await team().run("otters"))


async def test_sequential_may_hold_one_agent_twice_and_agents_that_delegate(crew: Crew) -> None:
    find = finder()
    line = Sequential(find, boss_of(find.as_tool(name="find"), batches=[[ask("find")]]), find)
    run = await (await crew.serve({"line": line, "finder": find}, "line")).start("go")

    assert (await run.result()).answer == "found found otters"
    assert await path_of(crew, run.workflow_id) == ["finder", "line/2", "finder"]


async def test_a_team_begins_anew_under_a_session_id_that_it_had_before(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(finder(), finder())}, "line")

    first = await durable.run("otters", session_id=(session := uuid.uuid4().hex))
    second = await durable.run("seals", session_id=session)

    assert (first.answer, second.answer) == ("found found otters", "found found seals")


@HANDOFFS
async def test_a_handoff_gives_the_input_to_the_peer(crew: Crew, team: Team) -> None:
    def desk(kind: Team) -> Any:
        return kind({"triage": hands_to("billing", reason="money"), "billing": finder()}, start="triage")

    run = await (await crew.serve({"desk": desk(team)}, "desk")).start("otters")

    result = await run.result()

    assert result.answer == "found otters"
    assert_same(result, await desk(KernelHandoff).run("otters"))
    assert await path_of(crew, run.workflow_id) == ["desk/triage", "desk/billing"]


@HANDOFFS
@pytest.mark.parametrize("most", [0, 2])
async def test_a_handoff_ends_after_so_many_transfers(crew: Crew, team: Team, most: int) -> None:
    def desk(kind: Team) -> Any:
        return kind({"a": hands_to("b"), "b": hands_to("a")}, start="a", max_handoffs=most)

    run = await (await crew.serve({"desk": desk(team)}, "desk")).start("go")

    theirs = desk(KernelHandoff)
    assert_same(await run.result(), await theirs.run("go"))
    # spine's own path tells the transfer that was not carried out, too.
    assert await path_of(crew, run.workflow_id) == [f"desk/{name}" for name in theirs.path[: most + 1]]


@HANDOFFS
async def test_a_transfer_to_a_peer_that_is_not_there_is_an_unknown_tool(crew: Crew, team: Team) -> None:
    def desk(kind: Team) -> Any:
        return kind({"a": hands_to("nobody"), "b": finder()}, start="a")

    result = await (await crew.serve({"desk": desk(team)}, "desk")).run("go")

    assert result.answer == "Error: unknown tool 'transfer_to_nobody'"
    assert_same(result, await desk(KernelHandoff).run("go"))


@HANDOFFS
async def test_a_transfer_counts_only_if_the_tool_ran(crew: Crew, team: Team) -> None:
    def desk(kind: Team) -> Any:
        return kind({"a": hands_to("b", nonsense=1), "b": finder()}, start="a")

    result = await (await crew.serve({"desk": desk(team)}, "desk")).run("go")

    assert "unexpected keyword argument 'nonsense'" in str(result.answer)
    assert "unexpected keyword argument 'nonsense'" in str((await desk(KernelHandoff).run("go")).answer)


@HANDOFFS
async def test_the_last_of_several_transfers_counts(crew: Crew, team: Team) -> None:
    def desk(kind: Team) -> Any:
        both = Agent(Boss([("transfer_to_b", {}), ("transfer_to_c", {})]))
        return kind({"a": both, "b": finder(), "c": adding_agent(None)}, start="a")

    result = await (await crew.serve({"desk": desk(team)}, "desk")).run("go")

    assert result.answer == "3"
    assert_same(result, await desk(KernelHandoff).run("go"))


@HANDOFFS
async def test_a_member_that_a_guard_stops_after_its_transfer_still_hands_over(crew: Crew, team: Team) -> None:
    def desk(kind: Team) -> Any:
        stopped = Agent(Boss([("transfer_to_b", {})]), guards=Guards(max_steps=1))
        return kind({"a": stopped, "b": finder()}, start="a")

    assert_same(await (await crew.serve({"desk": desk(team)}, "desk")).run("go"), await desk(KernelHandoff).run("go"))


@HANDOFFS
async def test_two_runs_of_one_team_at_once_do_not_disturb_each_other(crew: Crew, team: Team) -> None:
    gates = {"go on": Gate(), "stay": Gate()}

    class Transfers:
        """Transfers when it is asked to, once both runs are within the first member."""

        async def complete(self, messages: Any, tools: Any = None, **_: Any) -> Any:
            asked = str(messages[0].content)
            if len(messages) == 1:
                await gates[asked].pass_through()
                return await Boss([("transfer_to_b", {})] if asked == "go on" else [("nothing", {})]).complete(messages)
            return text("stayed")

    desk = team({"a": Agent(Transfers()), "b": finder()}, start="a")
    durable = await crew.serve({"desk": desk}, "desk")
    goes_on, stays = await durable.start("go on"), await durable.start("stay")
    await asyncio.gather(*(gate.begun.wait() for gate in gates.values()))
    for gate in gates.values():
        gate.open.set()

    assert (await goes_on.result()).answer == "found go on"
    assert (await stays.result()).answer == "stayed"


async def test_a_member_that_asks_a_person_pauses_the_team(crew: Crew) -> None:
    line = Sequential(asking_leave(), finder())
    durable = await crew.serve({"line": line}, "line")
    run = await durable.start("go")

    paused = await run.result()

    assert (paused.interrupt, paused.resume_token) == (PAYLOAD, run.id)
    [approval] = await run.pending()
    assert (approval.run, approval.agent, approval.tool) == (await run_below(crew.client, run, "1.0"), "line/1", "pay")
    assert (await durable.resume(run.id)).answer == "found paid 5"


async def test_a_member_may_ask_again_and_again_and_so_may_the_next(crew: Crew) -> None:
    desk = Handoff({"a": asking_leave(), "b": asking_leave()}, start="a")
    twice = Agent(Boss([("transfer_to_b", {}), ("pay", {"amount": 5})]), tools=list(desk.agents["a"].tools.values()))
    desk.agents["a"] = twice
    durable = await crew.serve({"desk": desk}, "desk")
    run = await durable.start("go")

    paused = await run.result()
    asked = []
    while paused.interrupted:
        asked += [approval.run for approval in await run.pending()]
        paused = await durable.resume(run.id)

    assert asked == [await run_below(crew.client, run, "1.0"), await run_below(crew.client, run, "2.0")]
    assert paused.answer == "paid 5"


async def test_an_agent_below_a_member_that_asks_a_person_pauses_the_team(crew: Crew) -> None:
    boss = boss_of(asking_leave().as_tool(name="clerk"), batches=[[ask("clerk")]])
    durable = await crew.serve({"line": Sequential(boss, finder())}, "line")
    run = await durable.start("go")

    assert (await run.result()).interrupt == PAYLOAD
    assert [approval.agent for approval in await run.pending()] == ["line/1/clerk"]
    assert (await durable.resume(run.id, "approve")).answer == "found paid 5"


async def test_events_of_a_team_are_its_members_one_after_the_other(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(finder(), adding_agent(None))}, "line")
    run = await durable.start("go")

    told = [str(event.type) async for event in run.events()]

    step = ["step_start", "model_call", "model_response"]
    assert told == [*step, "final", *step, "tool_call", "tool_result", *step, "final"]
    assert told == [str(event.type) async for event in run.events()]


async def test_events_of_a_team_end_at_a_pause_and_tell_all_when_it_has_gone_on(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(asking_leave(), finder())}, "line")
    run = await durable.start("go")

    before = [str(event.type) async for event in run.events()]
    await run.decide("approve")
    await ended(run)
    after = [str(event.type) async for event in run.events()]

    step = ["step_start", "model_call", "model_response"]
    assert before == [*step, "interrupt"]
    assert after == [*before, "tool_result", *step, "final", *step, "final"]


async def test_stopping_a_team_stops_the_member_at_work_and_no_other_begins(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"line": Sequential(waiting(gate, batches=2), finder())}, "line")
    run = await durable.start("go")
    await gate.begun.wait()

    await run.stop()
    await until_told_to_stop(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0"))
    gate.open.set()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    assert await path_of(crew, run.workflow_id) == ["line/1"]


async def test_a_team_that_is_stopped_before_it_begins_takes_no_step(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(finder(), finder())}, "line")

    result = await durable.run("go", should_cancel=lambda: True)

    assert result.stopped_reason is StopReason.CANCELLED
    assert result.state.step == 0


async def test_a_team_that_is_stopped_while_it_is_paused_is_over(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(asking_leave(), finder())}, "line")
    run = await durable.start("go")
    await run.result()

    await run.stop()

    assert (await ended(run)).stopped_reason is StopReason.CANCELLED
    assert await path_of(crew, run.workflow_id) == ["line/1"]


async def test_cancelling_a_team_cancels_the_member_at_work(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"line": Sequential(waiting(gate), finder())}, "line")
    run = await durable.start("go")
    await gate.begun.wait()

    await run.cancel()

    result = await run.result()
    assert (result.stopped_reason, result.usage) == (StopReason.CANCELLED, tokens(1))
    assert [message.role for message in result.state.messages] == ["user", "assistant"]
    children = (await describe_run(crew.client, run.workflow_id)).children
    assert [(child.agent, child.status) for child in children] == [("line/1", "cancelled")]
    assert (
        await is_over(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0"))
        == WorkflowExecutionStatus.CANCELED
    )


async def test_a_team_whose_member_is_terminated_ends_in_an_error(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"line": Sequential(waiting(gate), finder())}, "line")
    run = await durable.start("go")
    await gate.begun.wait()

    await crew.client.get_workflow_handle(await workflow_below(crew.client, run.workflow_id, "1.0")).terminate(
        reason="no more"
    )

    result = await run.result()
    assert (result.stopped_reason, result.error) == (StopReason.ERROR, "the run was terminated: no more")


async def test_the_members_of_a_team_can_be_forked_and_the_team_cannot(crew: Crew) -> None:
    durable = await crew.serve({"line": Sequential(finder(), finder())}, "line")
    run = await durable.start("otters")
    await run.result()

    for step in (0, 1):
        with pytest.raises(BadInput, match="is that of a team, which has no conversation of its own: fork the run of"):
            await run.fork(step=step)

    member = durable.get_run(await run_below(crew.client, run, "1.0"))
    assert (await (await member.fork(step=0)).result()).answer == "found otters"


async def test_a_durable_agent_delegates_to_a_team(crew: Crew) -> None:
    line = await crew.serve({"line": Sequential(finder(), finder())}, "line")
    boss = boss_of(line.as_tool(), batches=[[ask("line")]])
    run = await (await crew.serve({"boss": boss})).start("go")

    result = await run.result()

    assert result.answer == "found found otters"
    assert result.usage == tokens(4)


async def crew_state(crew: Crew, workflow_id: str, member: int) -> str:
    """What a member of a team was asked."""
    ledger = await fold_execution(crew.client, (await workflow_below(crew.client, workflow_id, f"{member}.0"), ""))
    return str(ledger.state.messages[0].content)
