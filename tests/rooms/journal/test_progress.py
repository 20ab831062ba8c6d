"""The workflow and the fold see the same progress, from the same outcomes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spine_core import Message, StopReason, Usage

from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.run_end import AnswerFrom, Ending, EndOutcome
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.step import PlannedCall, StepOutcome, StepSummary
from spine_temporal.contracts.tool_call import ToolOutcome, ToolSummary
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.progress import Progress, advance, after_end, after_step, after_tool, concluded, trip
from tests.rooms.journal.states import KEYS, MESSAGES, OBJECTS, POSITIONS, USAGES, VALUES

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
IDS = st.text(min_size=1, max_size=4)

ENDINGS = st.builds(
    Ending,
    reason=st.sampled_from(StopReason),
    answer=st.none() | st.text(max_size=3),
    answer_from=st.sampled_from(AnswerFrom),
    error=st.none() | st.text(max_size=3),
    event=st.sampled_from(["", "final", "guard_trip"]),
)
DELTAS = st.builds(
    StateDelta,
    messages=st.lists(MESSAGES, max_size=3),
    edits=st.dictionaries(POSITIONS, MESSAGES, max_size=2),
    cut=st.none() | st.tuples(POSITIONS, POSITIONS),
    usage=st.none() | USAGES,
    usage_before=st.none() | USAGES,
    scratch=st.dictionaries(st.just("set"), OBJECTS, max_size=1),
    fields=st.fixed_dictionaries({}, optional={"step": st.integers(0, 9), "depth": st.integers(0, 9)}),
)
SAID = st.sampled_from([None, "", "the model's words"])
STEPS = st.builds(
    StepOutcome,
    id=IDS,
    delta=DELTAS,
    usage=USAGES,
    calls=st.lists(st.builds(PlannedCall, id=IDS, name=IDS, known=st.booleans()), max_size=3),
    ending=st.none() | ENDINGS,
    said=SAID,
    called=st.booleans(),
    asked=st.none() | st.integers(0, 9),
    answered=st.booleans(),
)
TOOLS = st.builds(
    ToolOutcome,
    id=IDS,
    delta=DELTAS,
    ending=st.none() | ENDINGS,
    said=SAID,
    content=st.text(max_size=3),
    called=st.booleans(),
    arguments=st.none() | st.dictionaries(KEYS, VALUES, max_size=2),
)
PROGRESS = st.builds(
    Progress,
    head=st.text(max_size=12),
    step=st.integers(0, 9),
    depth=st.integers(0, 9),
    usage=USAGES,
    said=SAID,
    begun=st.booleans(),
)


@QUICK
@given(progress=PROGRESS, outcome=STEPS, parallel=st.booleans())
def test_workflow_reads_a_step_as_the_fold_does(progress: Progress, outcome: StepOutcome, parallel: bool) -> None:
    verdict = load(StepSummary, dump(outcome))

    assert after_step(progress, verdict, parallel=parallel) == after_step(progress, outcome, parallel=parallel)


@QUICK
@given(
    progress=PROGRESS,
    outcomes=st.permutations(range(2)),
    done=st.lists(TOOLS, min_size=2, max_size=2),
    parallel=st.booleans(),
)
def test_workflow_reads_tools_as_the_fold_does(
    progress: Progress, outcomes: list[int], done: list[ToolOutcome], parallel: bool
) -> None:
    calls = tuple(PlannedCall(id=f"call_{n}", name="find") for n in range(2))
    seen = whole = replace(progress, batch=Batch(calls, parallel))
    for index in outcomes:
        seen, entered = after_tool(seen, index, load(ToolSummary, dump(done[index])))
        whole, expected = after_tool(whole, index, done[index])
        assert entered == expected

    assert _without_results(seen) == _without_results(whole)


def _without_results(progress: Progress) -> Progress:
    """The workflow keeps verdicts in the batch, the fold whole outcomes."""
    assert progress.batch is not None
    seen = {
        index: tuple(ToolOutcome(id=each.id) for each in outcomes)
        for index, outcomes in progress.batch.outcomes.items()
    }
    return replace(progress, batch=replace(progress.batch, outcomes=seen))


@given(ids=st.lists(IDS, min_size=1, max_size=5), position=st.integers(0, 4), other=IDS)
@QUICK
def test_any_other_id_on_the_way_gives_another_head(ids: list[str], position: int, other: str) -> None:
    position %= len(ids)
    others = [*ids[:position], other, *ids[position + 1 :]]

    assert (_head(ids) == _head(others)) == (ids == others)
    assert _head(ids) != _head(ids[:-1])


def _head(ids: list[str]) -> str:
    head = ""
    for id_ in ids:
        head = advance(head, id_)
    return head


def test_heads_are_the_same_in_every_process_and_version() -> None:
    assert _head(["a"]) == "d256a5413b95"
    assert _head(["a", "b"]) == "4cde8417ffd7"


def test_order_of_outcomes_shows_in_the_head() -> None:
    assert _head(["a", "b"]) != _head(["b", "a"])


SPOKEN = [Message.user("q"), Message.assistant("first"), Message.tool("t", "call_0"), Message.assistant("")]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"delta": StateDelta(messages=SPOKEN)}, "first"),
        ({"delta": StateDelta(messages=[Message.user("q")])}, "before"),
        ({"delta": StateDelta(messages=SPOKEN), "said": "rewritten"}, "rewritten"),
        ({"delta": StateDelta(messages=SPOKEN), "said": ""}, None),
        ({}, "before"),
    ],
    ids=["its last words", "only others spoke", "told apart", "its words were removed", "nobody spoke"],
)
def test_last_words_of_the_model_are_kept(outcome: dict[str, Any], said: str | None) -> None:
    assert after_step(Progress(said="before"), StepOutcome(id="a", **outcome), parallel=False).said == said


@pytest.mark.parametrize(
    ("where", "answer"),
    [(AnswerFrom.HERE, "here"), (AnswerFrom.LAST_TEXT, "first"), (AnswerFrom.LAST_MESSAGE, "")],
)
def test_answer_is_looked_up_where_the_ending_says(where: AnswerFrom, answer: str) -> None:
    ending = Ending(reason=StopReason.FINAL, answer="here", answer_from=where)

    progress = after_step(
        Progress(), StepOutcome(id="a", delta=StateDelta(messages=SPOKEN), ending=ending), parallel=False
    )

    assert (progress.ending, progress.answer) == (ending, answer)


def test_first_ending_of_a_batch_counts() -> None:
    calls = tuple(PlannedCall(id=f"call_{n}", name="find") for n in range(2))
    progress = Progress(batch=Batch(calls, parallel=True))
    for index, words in ((1, "second"), (0, "first")):
        ended = Ending(reason=StopReason.GUARDRAIL, answer=words)
        progress, _ = after_tool(progress, index, ToolOutcome(id=words, ending=ended))

    assert progress.answer == "first"


def test_hooks_at_the_end_may_rewrite_the_ending() -> None:
    ended = concluded(Progress(said="so far"), trip(StopReason.MAX_STEPS))
    assert ended.answer == "so far"

    kept = after_end(ended, EndOutcome(id="a", delta=StateDelta(usage=Usage(input_tokens=3))))
    rewritten = after_end(ended, EndOutcome(id="a", ending=Ending(reason=StopReason.FINAL, answer="rewritten")))

    assert (kept.answer, kept.usage.input_tokens) == ("so far", 3)
    assert (rewritten.answer, rewritten.ending) == ("rewritten", Ending(reason=StopReason.FINAL, answer="rewritten"))
