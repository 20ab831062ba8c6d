"""What the story's proof accepts, what it does not."""

from dataclasses import replace

import pytest

from spine_temporal.demo.story.activity_log import MODEL, CompletedActivity
from spine_temporal.demo.story.calls import FAILED, FINISHED, KILLED, STARTED, Call
from spine_temporal.demo.story.checks import gap_s, prove

ONE, TWO = "worker-1 (pid 1)", "worker-2 (pid 2)"


def call(event: str, activity: str, worker: str, *, attempt: int = 1, name: str = MODEL, at_s: float = 0.0) -> Call:
    return Call(event, activity, attempt, worker, name, at_s)


def done(id_: str, worker: str, *, attempt: int = 1, name: str = MODEL) -> CompletedActivity:
    return CompletedActivity(
        id=id_,
        step=int(id_.partition(".")[0]),
        name=name,
        arguments=(),
        outcome="",
        called=True,
        attempt=attempt,
        worker=worker,
        began_s=16.5,
        ended_s=20.0,
        last_failure="activity Heartbeat timeout" if attempt > 1 else "",
        heartbeat_missed=attempt > 1,
    )


ACTIVITIES = [done("1", ONE), done("1.0", ONE, name="grep"), done("2", TWO, attempt=2)]
CALLS = [
    call(STARTED, "1", ONE),
    call(FINISHED, "1", ONE),
    call(STARTED, "1.0", ONE, name="grep"),
    call(FINISHED, "1.0", ONE, name="grep"),
    call(STARTED, "2", ONE),
    call(KILLED, "2", ONE, at_s=10.0),
    call(STARTED, "2", TWO, attempt=2),
    call(FINISHED, "2", TWO, attempt=2),
]


def test_every_claim_holds_when_the_two_sources_agree() -> None:
    checks = prove(ACTIVITIES, CALLS)

    assert [check.holds for check in checks] == [True] * 4
    assert "attempt 1 ended with “activity Heartbeat timeout”, attempt 2 completed on worker-2" in checks[3].text
    assert gap_s(ACTIVITIES, CALLS) == 6.5


def test_a_tool_that_raised_has_done_its_work() -> None:
    raised = [replace(each, event=FAILED) if each == CALLS[3] else each for each in CALLS]

    assert all(check.holds for check in prove(ACTIVITIES, raised))


def test_a_tool_the_agent_does_not_have_need_not_have_been_called() -> None:
    unknown = replace(done("2.0", TWO, name="otter"), called=False)

    assert all(check.holds for check in prove([*ACTIVITIES, unknown], CALLS))


@pytest.mark.parametrize(
    ("calls", "broken"),
    [
        pytest.param([*CALLS, call(STARTED, "1", TWO), call(FINISHED, "1", TWO)], {0, 1}, id="finished twice"),
        pytest.param([*CALLS, call(STARTED, "1", TWO), call(FAILED, "1", TWO)], {1}, id="started again"),
        pytest.param([*CALLS, call(STARTED, "3", TWO)], {2}, id="another one broken off"),
        pytest.param([each for each in CALLS if each != CALLS[3]], {0, 2}, id="recorded but never finished"),
        pytest.param(
            [*CALLS[:4], call(STARTED, "2", ONE), call(FINISHED, "2", ONE), *CALLS[5:]],
            {0, 1, 2},
            id="killed after the step had finished",
        ),
    ],
)
def test_calls_that_are_not_as_history_has_them_break_their_checks(calls: list[Call], broken: set[int]) -> None:
    assert {number for number, check in enumerate(prove(ACTIVITIES, calls)) if not check.holds} == broken


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ACTIVITIES[2], heartbeat_missed=False, last_failure="boom"),
        replace(ACTIVITIES[2], worker=ONE),
        replace(ACTIVITIES[2], attempt=1),
    ],
    ids=["another failure", "the same worker", "the first attempt"],
)
def test_a_step_that_was_not_taken_over_breaks_the_last_claim(wrong: CompletedActivity) -> None:
    assert not prove([*ACTIVITIES[:2], wrong], CALLS)[3].holds


def test_without_a_kill_nothing_is_proved() -> None:
    calls = [each for each in CALLS if each.event != KILLED]

    assert [check.holds for check in prove(ACTIVITIES, calls)] == [False]
    assert gap_s(ACTIVITIES, calls) is None
