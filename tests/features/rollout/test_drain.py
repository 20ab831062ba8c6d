"""`drain`: the runs of a version move to the current one with all that they carry, and nothing is done twice."""

import asyncio
from typing import Any

import pytest
from spine_orchestration import Sequential

from spine_temporal import Run
from spine_temporal.contracts import names
from tests.features.rollout.agents import clerk
from tests.features.rollout.rollout import Rollout
from tests.support.harness import histories_of
from tests.support.soak import IS_SOAK
from tests.support.waiting import until

pytestmark = pytest.mark.durable

SESSIONS = 50 if IS_SOAK else 15


async def test_sessions_with_open_approvals_move_and_are_decided_on_the_new_version(rollout: Rollout) -> None:
    await rollout.work("v1")
    runs = [await rollout.start("pay 2", f"s{number}") for number in range(SESSIONS)]
    for run in runs:
        await rollout.paused(run)
    await rollout.work("v2")

    drained = await rollout.drain("v1")

    assert (drained.moved, drained.remaining, drained.moves_to) == (SESSIONS, (), "v2")
    await rollout.until_drained("v1")
    await rollout.stop("v1")
    for run in runs:
        assert [each.call_id for each in await run.pending()] == ["pay1", "pay2"]
        await run.decide("approve", "pay1")
        await run.decide("approve", "pay2")
    answers = {(await run.result()).answer for run in runs}
    assert answers == {"v2: paid 1, paid 2"}
    assert (rollout.effects.count("paid 1"), rollout.effects.count("paid 2")) == (SESSIONS, SESSIONS)


async def test_an_idle_session_takes_its_next_turn_on_the_new_version(rollout: Rollout) -> None:
    await rollout.work("v1")
    first = await (await rollout.start("hello", "idle")).result()
    await rollout.work("v2")
    on_old = await (await rollout.start("again", "idle")).result()

    drained = await rollout.drain("v1")
    on_new = await (await rollout.start("once more", "idle")).result()

    assert [each.answer for each in (first, on_old, on_new)] == ["v1: hello", "v1: again", "v2: once more"]
    assert (drained.moved, drained.remaining) == (1, ())
    assert [str(each.content) for each in on_new.state.messages if each.role == "user"] == [
        "hello",
        "again",
        "once more",
    ]


async def test_a_run_at_work_moves_at_its_next_boundary(rollout: Rollout) -> None:
    await rollout.work("v1")
    rollout.effects.hold("look-1")
    run = await rollout.start("look 3", "busy")
    await until(lambda: rollout.effects.count("started look-1"), "a tool at work")
    await rollout.work("v2")

    drained = await rollout.drain("v1", wait_s=0)
    rollout.effects.release("look-1")

    [left] = drained.remaining
    assert (left.id, left.fix, "spine.tool" in left.why) == (run.id, "", True)
    assert (await run.result()).answer == "v2: saw 1, saw 2, saw 3"
    assert [rollout.effects.count(f"started look-{number}") for number in (1, 2, 3)] == [1, 1, 1]
    assert (await rollout.drain("v1")).remaining == ()


async def test_what_is_decided_at_the_moment_of_the_move_is_carried_out_once(rollout: Rollout) -> None:
    await rollout.work("v1")
    runs = [await rollout.start("pay 2", f"r{number}") for number in range(10)]
    for run in runs:
        await rollout.paused(run)
    await rollout.work("v2")

    async def decide() -> None:
        await asyncio.gather(*(run.decide("approve", call) for run in runs for call in ("pay1", "pay2")))

    drained, _ = await asyncio.gather(rollout.drain("v1"), decide())

    assert {(await run.result()).answer for run in runs} <= {"v1: paid 1, paid 2", "v2: paid 1, paid 2"}
    assert (rollout.effects.count("paid 1"), rollout.effects.count("paid 2")) == (10, 10)
    assert drained.remaining == ()


async def test_half_a_batch_that_is_decided_and_the_turns_that_wait_move_along(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay 2", "batch"))
    rollout.effects.hold("pay-1")
    await run.decide("approve", "pay1")
    await until(lambda: rollout.effects.count("started pay-1"), "the first payment")
    queued = await rollout.start("and then", "batch")
    await rollout.work("v2")

    early = await rollout.drain("v1", wait_s=0)
    rollout.effects.release("pay-1")
    late = await rollout.drain("v1")

    assert (len(early.remaining), late.remaining) == (1, ())
    assert [each.call_id for each in await run.pending()] == ["pay2"]
    await run.decide("reject", "pay2")
    assert str((await run.result()).answer).startswith("v2: paid 1, ")
    assert (await queued.result()).answer == "v2: and then"
    assert (rollout.effects.count("paid 1"), rollout.effects.count("paid 2")) == (1, 0)


async def test_an_approval_still_expires_after_the_move(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay 1", "late", approval_timeout_s=5.0, on_timeout="reject"))
    await rollout.work("v2")
    [before] = await run.pending()

    drained = await rollout.drain("v1")

    assert drained.remaining == ()
    assert [each.expires_at for each in await run.pending()] in ([], [before.expires_at])

    async def answered() -> bool:
        return str((await run.result()).answer).startswith("v2: ")

    await until(answered, "the answer once nobody has decided")
    assert rollout.effects.count("paid 1") == 0


async def test_parent_and_subagent_move_and_the_answer_goes_up(rollout: Rollout) -> None:
    def crew(build: str) -> tuple[object, ...]:
        below = clerk(build, rollout.folder, name="below")
        return clerk(build, rollout.folder, name="clerk", asks=below), below

    await rollout.work("v1", *crew("v1"))  # type: ignore[arg-type]
    run = await rollout.paused(await rollout.start("ask", "boss"))
    await rollout.work("v2", *crew("v2"))  # type: ignore[arg-type]

    drained = await rollout.drain("v1")

    assert (drained.moved, drained.remaining) == (2, ())
    await rollout.until_drained("v1")
    await rollout.stop("v1")
    [asked] = await run.pending()
    assert (asked.tool, asked.agent) == ("pay", "below")
    _, before = await run.decide_on("approve", None)
    assert (await run.next_result(after=before)).answer == "v2: v2: paid 1"
    assert rollout.effects.count("paid 1") == 1


async def test_a_run_that_is_asked_before_it_has_begun_continues_once_and_answers(rollout: Rollout) -> None:
    await rollout.work("v1")
    handle = await rollout.client.start_workflow(
        names.AGENT_WORKFLOW,
        {"agent": "clerk", "input": "look 1"},
        id=f"spine-{rollout.name}-early",
        task_queue=rollout.task_queue,
        start_signal=names.CONTINUE_SIGNAL,
    )
    run = Run(rollout.client, id=f"{rollout.name}-early", workflow_id=handle.id, run_id=handle.first_execution_run_id)

    assert (await run.result()).answer == "v1: saw 1"
    assert rollout.effects.count("started look-1") == 1
    assert len(await histories_of(rollout.client, run)) == 2


async def test_a_team_moves_with_the_member_that_waits(rollout: Rollout) -> None:
    def team(build: str) -> dict[str, Any]:
        members = [clerk(build, rollout.folder, name=name) for name in ("first", "second")]
        return {"team": Sequential(*members), **{str(each.name): each for each in members}}

    await rollout.work("v1", named=team("v1"))
    run = await rollout.agent("team").start("pay 1", session_id=f"{rollout.name}-team")
    await rollout.paused(run)
    await rollout.work("v2", named=team("v2"))

    drained = await rollout.drain("v1")

    assert (drained.moved, drained.remaining) == (2, ())
    await rollout.until_drained("v1")
    await rollout.stop("v1")
    _, before = await run.decide_on("approve", None)
    assert (await run.next_result(after=before)).answer == "v2: v2: paid 1"
    assert rollout.effects.count("paid 1") == 1


async def test_draining_twice_and_on_to_a_third_version_does_nothing_twice(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "far"))
    await rollout.work("v2")

    moved = [(await rollout.drain("v1")).moved, (await rollout.drain("v1")).moved]
    await rollout.work("v3")
    on = await rollout.drain("v2")

    assert (moved, on.moved, await rollout.build_of(run)) == ([1, 0], 1, "v3")
    await run.decide("approve")
    assert (await run.result()).answer == "v3: paid 1"
    assert rollout.effects.count("paid 1") == 1


async def test_a_rollback_takes_the_sessions_back(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "back"))
    await rollout.work("v2")
    await rollout.drain("v1")
    await rollout.make_current("v1")

    drained = await rollout.drain("v2")

    assert (drained.moved, drained.moves_to, await rollout.build_of(run)) == (1, "v1", "v1")
    await run.decide("approve")
    assert (await run.result()).answer == "v1: paid 1"
