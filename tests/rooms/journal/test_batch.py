"""Results enter the conversation in the order of the calls."""

import pytest

from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.progress import Progress, after_tool


def batch_of(size: int, *, parallel: bool) -> Batch:
    return Batch(tuple(PlannedCall(id=f"call_{n}", name="find") for n in range(size)), parallel)


# Each row: which result arrives, what thereby enters, what may run next.
SEQUENTIAL = [(0, [0], [1]), (1, [1], [2]), (2, [2], [])]
PARALLEL_IN_ORDER = [(0, [], [1, 2]), (1, [], [2]), (2, [0, 1, 2], [])]
PARALLEL_REVERSED = [(2, [], [0, 1]), (1, [], [0]), (0, [0, 1, 2], [])]
PARALLEL_TWICE = [(1, [], [0, 2]), (1, [], [0, 2]), (0, [], [2]), (2, [0, 1, 2], [])]


@pytest.mark.parametrize(
    ("parallel", "first", "arrivals"),
    [
        (False, [0], SEQUENTIAL),
        (True, [0, 1, 2], PARALLEL_IN_ORDER),
        (True, [0, 1, 2], PARALLEL_REVERSED),
        (True, [0, 1, 2], PARALLEL_TWICE),
    ],
    ids=["one after another", "side by side", "side by side, reversed", "side by side, one told twice"],
)
def test_results_enter_in_the_order_of_the_calls(
    parallel: bool, first: list[int], arrivals: list[tuple[int, list[int], list[int]]]
) -> None:
    batch = batch_of(3, parallel=parallel)
    assert batch.runnable() == first

    for index, entering, next_up in arrivals:
        assert not batch.over
        progress, entered = after_tool(Progress(batch=batch), index, ToolOutcome(id=f"tool {index}"))
        assert progress.batch is not None
        batch = progress.batch
        assert (entered, batch.runnable()) == (entering, next_up)
    assert batch.over


def test_batch_is_never_changed_in_place() -> None:
    batch = batch_of(2, parallel=True)

    batch.with_outcome(0, ToolOutcome(id="a"))

    assert batch == batch_of(2, parallel=True)


@pytest.mark.parametrize("batch", [None, batch_of(2, parallel=False)], ids=["no calls", "two calls"])
def test_result_of_a_call_that_the_step_has_not_is_refused(batch: Batch | None) -> None:
    with pytest.raises(ValueError, match="call 2 belongs to no call of this step"):
        after_tool(Progress(batch=batch), 2, ToolOutcome(id="a"))
