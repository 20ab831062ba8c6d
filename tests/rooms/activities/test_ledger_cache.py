"""The cache of States is an accelerator: bounded, and never wrong."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from spine_core import Message

from spine_temporal.activities.ledger_cache import LedgerCache, RevisionNotFound, RunKey
from spine_temporal.activities.ledger_size import memory_bytes
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger
from tests.rooms.journal.entries import (
    begun,
    calling,
    ledger_of,
    step_begun,
    step_done,
    tool_begun,
    tool_done,
)

RUN = ("spine-s1", "run-1")
OTHER = ("spine-s2", "run-2")
THIRD = ("spine-s3", "run-3")
PLENTY = 1_000_000


FIND = calling("find")
STEP: Sequence[Entry] = (step_begun(1), step_done(1, FIND))
TOOL: Sequence[Entry] = (tool_begun(0), tool_done(0, "12 otters"))
OPENED = ledger_of(*begun())
STEPPED = ledger_of(*begun(), *STEP)
REVISION = STEPPED.progress.revision
SIZE = memory_bytes(OPENED)


def answer(text: str) -> Sequence[Entry]:
    """A step in which the model says `text`."""
    return (step_begun(1), step_done(1, Message.assistant(text)))


class Histories:
    """In place of the server: the ledger it folds, the ledger it can catch up to, what it was asked."""

    def __init__(self, folded: Ledger = STEPPED, caught_up: Ledger | None = None) -> None:
        self.folded = folded
        self.caught_up = caught_up
        self.asked: list[tuple[str, RunKey, str]] = []

    async def fold(self, run: RunKey, revision: str) -> Ledger | None:
        self.asked.append(("fold", run, revision))
        return self.folded if self.folded.progress.revision == revision else None

    async def catch_up(self, run: RunKey, ledger: Ledger, revision: str) -> Ledger | None:
        self.asked.append(("catch up", run, revision))
        return self.caught_up

    def cache(self, max_bytes: int = PLENTY) -> LedgerCache:
        return LedgerCache(self.fold, self.catch_up, max_bytes=max_bytes)


async def test_what_this_worker_did_itself_is_not_read_again() -> None:
    histories = Histories()
    cache = histories.cache()
    cache.begin(RUN, begun())
    cache.record(RUN, OPENED.progress.revision, STEP)

    assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.hits, cache.folds, histories.asked) == (1, 0, [])


async def test_run_of_another_worker_is_folded_once() -> None:
    histories = Histories()
    cache = histories.cache()

    for _ in range(2):
        assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.hits, cache.folds, histories.asked) == (1, 1, [("fold", RUN, REVISION)])


async def test_older_state_is_caught_up_from_the_end_of_the_history() -> None:
    histories = Histories(caught_up=STEPPED)
    cache = histories.cache()
    cache.begin(RUN, begun())

    assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.caught_up, cache.folds, histories.asked) == (1, 0, [("catch up", RUN, REVISION)])


async def test_state_too_old_to_be_caught_up_is_folded() -> None:
    histories = Histories(caught_up=None)
    cache = histories.cache()
    cache.begin(RUN, begun())

    assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.caught_up, cache.folds) == (0, 1)
    assert cache.peek(RUN) == STEPPED


async def test_outcome_that_started_from_another_revision_is_not_recorded() -> None:
    cache = Histories().cache()
    cache.begin(RUN, begun())

    cache.record(RUN, "another revision", STEP)

    assert cache.peek(RUN) == OPENED


def test_outcome_of_a_run_that_is_not_kept_is_not_recorded() -> None:
    cache = Histories().cache()

    cache.record(RUN, OPENED.progress.revision, STEP)

    assert cache.peek(RUN) is None


def test_run_is_forgotten_when_an_outcome_does_not_fit_it() -> None:
    cache = Histories().cache()
    cache.begin(RUN, begun())

    cache.record(RUN, OPENED.progress.revision, TOOL)

    assert cache.peek(RUN) is None


async def test_oldest_run_is_forgotten_when_the_cache_is_full() -> None:
    cache = Histories(OPENED).cache(max_bytes=2 * SIZE)
    for run in (RUN, OTHER):
        cache.begin(run, begun())
    await cache.at(RUN, OPENED.progress.revision)

    cache.begin(THIRD, begun())

    assert cache.peek(OTHER) is None
    assert cache.peek(RUN) is not None
    assert cache.peek(THIRD) is not None


def test_run_that_grows_in_the_cache_drops_an_older_one() -> None:
    cache = Histories().cache(max_bytes=2 * SIZE + 5_000)
    cache.begin(RUN, begun())
    cache.begin(OTHER, begun())

    cache.record(OTHER, OPENED.progress.revision, answer("x" * 5_000))

    assert cache.peek(RUN) is None
    assert cache.peek(OTHER) is not None


def test_run_larger_than_the_cache_is_not_kept() -> None:
    cache = Histories().cache(max_bytes=2 * SIZE + 5_000)
    cache.begin(RUN, begun())
    cache.begin(OTHER, begun())

    cache.record(OTHER, OPENED.progress.revision, answer("x" * 100_000))

    assert cache.peek(OTHER) is None
    assert cache.peek(RUN) is not None


async def test_cache_of_zero_bytes_keeps_nothing() -> None:
    cache = Histories().cache(max_bytes=0)
    cache.begin(RUN, begun())

    for _ in range(2):
        assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.hits, cache.folds, cache.peek(RUN)) == (0, 2, None)


async def test_late_attempt_still_finds_the_state_that_the_quicker_one_started_from() -> None:
    histories = Histories()
    cache = histories.cache()
    cache.begin(RUN, begun())
    cache.record(RUN, OPENED.progress.revision, STEP)

    assert await cache.at(RUN, OPENED.progress.revision) == OPENED
    assert await cache.at(RUN, REVISION) == STEPPED
    assert (cache.hits, histories.asked) == (2, [])


async def test_messages_that_an_activity_has_are_its_own_until_it_gives_them_back() -> None:
    cache = Histories().cache(max_bytes=2 * SIZE + 60_000)
    cache.begin(RUN, begun())
    mine = cache.lend(RUN)
    mine.lend(OPENED.state)

    assert cache.lend(RUN) is not mine
    cache.give_back(RUN, mine)
    assert cache.lend(RUN) is mine


def test_copies_that_are_kept_count_and_are_dropped_before_the_run_is() -> None:
    many = [Message.user("x") for _ in range(1_000)]
    entered = [*begun(), step_begun(1), step_done(1, FIND, delta=StateDelta(messages=[*many, FIND]))]
    ledger = ledger_of(*entered)
    cache = Histories().cache(max_bytes=memory_bytes(ledger) + 100_000)
    cache.begin(RUN, entered)
    mine = cache.lend(RUN)
    mine.lend(ledger.state)
    cache.give_back(RUN, mine)

    cache.record(RUN, ledger.progress.revision, TOOL)

    assert cache.peek(RUN) is not None
    assert cache.lend(RUN) is not mine


def test_forgetting_what_is_not_there_is_no_error() -> None:
    cache = Histories().cache()
    cache.begin(RUN, begun())
    cache.forget(RUN)

    cache.forget(RUN)

    assert cache.peek(RUN) is None


async def test_fold_that_does_not_lead_to_the_revision_is_not_used() -> None:
    cache = Histories(folded=OPENED).cache()

    with pytest.raises(RevisionNotFound, match="does not lead to revision"):
        await cache.at(RUN, REVISION)


async def test_images_and_arguments_count_too() -> None:
    image = Message.user_parts([{"type": "image", "data": "x" * 20_000}])
    folded = ledger_of(*begun(), step_begun(1), step_done(1, image))
    cache = Histories(folded).cache(max_bytes=SIZE + 10_000)

    await cache.at(RUN, folded.progress.revision)

    assert cache.peek(RUN) is None


def test_what_a_hook_shortened_counts_no_more() -> None:
    found = (tool_begun(0), tool_done(0, "x" * 50_000), step_begun(2))
    entered = ledger_of(*begun(), *STEP, *found)
    edits = {len(entered.state.messages) - 1: Message.tool("y", "call_0")}
    shortened = StateDelta(messages=[FIND], edits=edits)
    cache = Histories().cache(max_bytes=2 * SIZE + 60_000)
    cache.begin(RUN, [*begun(), *STEP, *found])

    cache.record(RUN, entered.progress.revision, [step_done(2, FIND, delta=shortened)])
    cache.begin(OTHER, [*begun(), *STEP, *found])

    assert cache.peek(RUN) is not None
    assert cache.peek(OTHER) is not None


LOCAL = [replace(tool_done(index, f"{index} otters"), local=True) for index in (1, 0, 2)]
THREE: Sequence[Entry] = (*begun(), step_begun(1), step_done(1, calling("find", "find", "find")))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2)], ids=str)
async def test_local_calls_side_by_side_are_found_in_the_workflows_order(order: Sequence[int]) -> None:
    histories = Histories()
    cache = histories.cache()
    cache.begin(RUN, THREE)
    began = ledger_of(*THREE)
    revision = began.progress.revision

    for each in LOCAL:
        # Each asks for what there was before the first was over.
        assert (await cache.at(RUN, revision)).progress == began.progress
        cache.record(RUN, revision, [each])

    # One that never reached the workflow is not among them.
    ledger = ledger_of(*THREE, *(LOCAL[at] for at in order))
    ids = ["earlier", *(LOCAL[at].id for at in order)]
    assert await cache.at(RUN, ledger.progress.revision, ids) == ledger
    assert await cache.at(RUN, ledger.progress.revision) == ledger
    assert histories.asked == []


async def test_an_ordinary_call_that_is_late_is_not_added_to_another() -> None:
    histories = Histories()
    cache = histories.cache()
    cache.begin(RUN, begun())
    cache.record(RUN, OPENED.progress.revision, STEP)
    cache.record(RUN, REVISION, TOOL)
    there = cache.peek(RUN)

    cache.record(RUN, REVISION, TOOL)

    assert cache.peek(RUN) == there
