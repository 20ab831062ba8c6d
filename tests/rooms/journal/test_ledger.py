"""Entry by entry: what the State is, which events are traced."""

import pytest
from spine_core import Message, RunStatus, State, StopReason, Usage

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.step import ModelError, PlannedCall, StepOutcome
from spine_temporal.journal.apply import apply
from spine_temporal.journal.counters import stopped_by_guard
from spine_temporal.journal.entries import Closed, Entry, StepDone
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.trace import Event
from tests.rooms.journal.entries import (
    COST,
    FINAL,
    begun,
    calling,
    end_begun,
    end_done,
    folded,
    opened,
    requested,
    step_begun,
    step_done,
    tool_begun,
    tool_done,
)

GO = Message.user("go")
FOUND = Message.tool("an otter", "call_0", "find")
STEP = Event("step_start", 1)
CALLED = Event("model_call", 1, {"messages": 1})
ASKED = Event("model_response", 1, {"tool_calls": ["find"], "cost_usd": 0.0, "tokens": 15})


def test_run_begins_with_the_users_input() -> None:
    ledger, trace = folded(requested())

    assert ledger.state == State(session_id="s1", messages=[GO])
    assert trace == [[]]


def test_opened_run_has_what_the_agent_gives_it() -> None:
    ledger, trace = folded(requested(), opened(system="be brief", tenant_id="t1"))

    assert ledger.state == State(session_id="s1", tenant_id="t1", messages=[Message.system("be brief"), GO])
    assert trace == [[], []]


def test_run_is_traced_entry_by_entry() -> None:
    answer = Message.assistant("done")
    ledger, trace = folded(
        *begun(),
        step_begun(1),
        step_done(1, calling("find")),
        tool_begun(0),
        tool_done(0, "an otter"),
        step_begun(2),
        step_done(2, answer, ending=FINAL, asked=3),
    )

    assert trace == [
        [],
        [],
        [STEP],
        [CALLED, ASKED],
        [Event("tool_call", 1, {"tool": "find", "arguments": {"n": 0}})],
        [Event("tool_result", 1, {"tool": "find", "result": "an otter"})],
        [Event("step_start", 2)],
        [
            Event("model_call", 2, {"messages": 3}),
            Event("model_response", 2, {"tool_calls": [], "cost_usd": 0.0, "tokens": 30}),
            Event("final", 2),
        ],
    ]
    assert ledger.state == State(
        session_id="s1",
        messages=[GO, calling("find"), FOUND, answer],
        step=2,
        usage=COST + COST,
        status=RunStatus.DONE,
    )
    assert ledger.progress.answer == "done"


FIRST = Event("step_start", 1)
WITH_HOOK = [*begun(hooks=("on_run_start",)), step_begun(1, first=True)]


@pytest.mark.parametrize(
    ("done", "traced"),
    [
        (step_done(1, calling("find")), [FIRST, CALLED, ASKED]),
        (
            StepDone(StepOutcome(id="a", stepped=False, ending=stopped_by_guard(StopReason.MAX_STEPS))),
            [Event("guard_trip", 0, {"reason": "max_steps"})],
        ),
    ],
    ids=["step taken", "guard tripped before it"],
)
def test_step_after_the_start_hooks_is_traced_once_they_have_run(done: Entry, traced: list[Event]) -> None:
    _, events = folded(*WITH_HOOK, done)

    assert events[2:] == [[], traced]


def test_failed_and_preset_responses_are_traced_as_the_kernel_traces_them() -> None:
    errors = [ModelError(error="overloaded", action="retry"), ModelError(error="bad key", action="fail")]
    broken = Ending(reason=StopReason.ERROR, error="bad key")
    failed = StepOutcome(id="a", asked=1, errors=errors, ending=broken)

    ledger, trace = folded(*begun(), step_begun(1), step_done(1, calling("find"), asked=None, preset=True))
    assert trace[-1] == [Event("model_call", 1, {"cached": True}), ASKED]

    ledger, trace = folded(*begun(), step_begun(1), StepDone(failed))
    assert trace[-1] == [
        CALLED,
        Event("error", 1, {"error": "overloaded", "action": "retry"}),
        Event("error", 1, {"error": "bad key", "action": "fail"}),
    ]
    assert ledger.state.status is RunStatus.ERROR


def test_ended_run_is_not_ended_again() -> None:
    guarded = Ending(reason=StopReason.GUARDRAIL, answer="not this", event="guard_trip")
    ledger, trace = folded(
        *begun(),
        step_done(1, calling("find"), ending=guarded, calls=[]),
        end_begun(guarded),
        end_done(delta=StateDelta(scratch={"set": {"key": 1}})),
        Closed(stopped_by_guard(StopReason.CANCELLED)),
    )

    assert trace[3:] == [[], [], []]
    assert (ledger.progress.ending, ledger.state.scratch) == (guarded, {"key": 1})


@pytest.mark.parametrize(
    ("ending", "status", "traced"),
    [
        (stopped_by_guard(StopReason.TIMEOUT), RunStatus.DONE, [Event("guard_trip", 1, {"reason": "timeout"})]),
        (Ending(reason=StopReason.ERROR, error="lost"), RunStatus.ERROR, []),
    ],
)
@pytest.mark.parametrize("end", [Closed, end_begun], ids=["closed", "hooks at the end"])
def test_run_that_ends_between_steps_says_why(
    end: object, ending: Ending, status: RunStatus, traced: list[Event]
) -> None:
    assert callable(end)
    ledger, events = folded(*begun(), step_done(1, Message.assistant("so far")), end(ending))

    assert events[-1] == traced
    assert ledger.state.status is status
    assert ledger.progress.answer == ("so far" if not ending.error else None)


def test_hook_that_broke_at_the_end_is_traced_and_the_result_stands() -> None:
    ledger, trace = folded(
        *begun(),
        step_done(1, Message.assistant("done"), ending=FINAL),
        end_begun(FINAL),
        end_done(error="on_run_end raised"),
    )

    assert trace[-1] == [Event("error", 1, {"error": "on_run_end raised", "action": "ignored", "hook": "on_run_end"})]
    assert (ledger.state.status, ledger.progress.answer) == (RunStatus.DONE, "done")


def test_ledger_is_never_changed_in_place() -> None:
    entries = [*begun(), step_done(1, calling("find", "find")), tool_begun(0), tool_done(0, "a"), tool_done(1, "b")]
    ledgers, was = [Ledger()], [Ledger().state.model_dump_json()]
    for entry in entries:
        ledgers.append(apply(ledgers[-1], entry)[0])
        was.append(ledgers[-1].state.model_dump_json())

    assert [ledger.state.model_dump_json() for ledger in ledgers] == was


MISSING = StepOutcome(id="a", calls=[PlannedCall(id="call_0", name="find")], answered=True)


@pytest.mark.parametrize(
    "entries",
    [
        [tool_done(0)],
        [*begun(), tool_done(0)],
        [*begun(), step_done(1, calling("find")), tool_done(1)],
        [*begun(), step_done(1, Message.assistant("done")), tool_done(0)],
        [*begun(), step_done(1, calling("find")), tool_begun(1)],
        [*begun(), step_done(1, calling("find")), tool_begun(0), tool_begun(0)],
        [StepDone(MISSING)],
    ],
    ids=["nothing before", "no step", "no such call", "no calls", "start of no call", "second start", "no message"],
)
def test_entry_that_does_not_fit_is_refused(entries: list[Entry]) -> None:
    with pytest.raises(ValueError):
        folded(*entries)


def test_usage_that_a_hook_books_beside_the_models_counts_too() -> None:
    ledger, _ = folded(
        *begun(), step_done(1, calling("find"), delta=StateDelta(messages=[calling("find")], usage=Usage(cost_usd=2)))
    )

    assert ledger.state.usage == ledger.progress.usage == Usage(cost_usd=2)
