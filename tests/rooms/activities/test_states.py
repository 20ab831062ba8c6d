"""The cache of States is an accelerator: bounded, and never wrong."""

import pytest
from spine_core import Message

from spine_temporal.activities.ledger_cache import LedgerCache, RunKey
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger
from tests.rooms.journal.entries import asks, opened, said, told_by, tool_done

RUN = ("spine-s1", "run-1")
OTHER = ("spine-s2", "run-2")
THIRD = ("spine-s3", "run-3")
PLENTY = 1_000_000


def ledger_of(*entries: Entry) -> Ledger:
    return told_by(*entries)[0]


OPENED = ledger_of(opened())
STEPPED = ledger_of(opened(), said(1, asks("find")))


class Histories:
    """Stands for the server: the ledger it folds, the ledger it can catch up to, what it was asked."""

    def __init__(self, folded: Ledger = STEPPED, caught_up: Ledger | None = None) -> None:
        self.folded = folded
        self.caught_up = caught_up
        self.asked: list[tuple[str, RunKey, str]] = []

    async def fold(self, run: RunKey, head: str) -> Ledger:
        self.asked.append(("fold", run, ""))
        return self.folded

    async def catch_up(self, run: RunKey, ledger: Ledger, head: str) -> Ledger | None:
        self.asked.append(("catch up", run, head))
        return self.caught_up

    def cache(self, max_bytes: int = PLENTY) -> LedgerCache:
        return LedgerCache(self.fold, self.catch_up, max_bytes=max_bytes)


async def test_what_this_worker_did_itself_is_not_read_again() -> None:
    histories = Histories()
    cache = histories.cache()
    cache.begin(RUN, opened(), 10)
    cache.record(RUN, "", said(1, asks("find")), 10)

    assert await cache.at(RUN, STEPPED.progress.head) == STEPPED
    assert (cache.hits, cache.folds, histories.asked) == (1, 0, [])


async def test_run_of_another_worker_is_folded_once() -> None:
    histories = Histories()
    cache = histories.cache()

    for _ in range(2):
        assert await cache.at(RUN, STEPPED.progress.head) == STEPPED
    assert (cache.hits, cache.folds, histories.asked) == (1, 1, [("fold", RUN, "")])


async def test_older_state_is_caught_up_from_the_end_of_the_history() -> None:
    histories = Histories(caught_up=STEPPED)
    cache = histories.cache()
    cache.begin(RUN, opened(), 10)

    assert await cache.at(RUN, STEPPED.progress.head) == STEPPED
    assert (cache.caught_up, cache.folds, histories.asked) == (1, 0, [("catch up", RUN, STEPPED.progress.head)])


async def test_state_too_old_to_be_caught_up_is_folded() -> None:
    histories = Histories(caught_up=None)
    cache = histories.cache()
    cache.begin(RUN, opened(), 10)

    assert await cache.at(RUN, STEPPED.progress.head) == STEPPED
    assert (cache.caught_up, cache.folds) == (0, 1)
    assert cache.peek(RUN) == STEPPED


async def test_outcome_that_started_from_another_head_is_not_recorded() -> None:
    cache = Histories().cache()
    cache.begin(RUN, opened(), 10)

    cache.record(RUN, "another head", said(1, asks("find")), 10)

    assert cache.peek(RUN) == OPENED


def test_outcome_of_a_run_that_is_not_kept_is_not_recorded() -> None:
    cache = Histories().cache()

    cache.record(RUN, "", said(1, asks("find")), 10)

    assert cache.peek(RUN) is None


def test_run_is_forgotten_when_an_outcome_does_not_fit_it() -> None:
    cache = Histories().cache()
    cache.begin(RUN, opened(), 10)

    cache.record(RUN, "", tool_done(0), 10)

    assert cache.peek(RUN) is None


async def test_oldest_run_is_forgotten_when_the_cache_is_full() -> None:
    cache = Histories(OPENED).cache(max_bytes=10_000)
    for run in (RUN, OTHER):
        cache.begin(run, opened(), 1_000)
    await cache.at(RUN, OPENED.progress.head)

    cache.begin(THIRD, opened(), 4_000)

    assert cache.peek(OTHER) is None
    assert cache.peek(RUN) is not None
    assert cache.peek(THIRD) is not None


def test_run_grows_in_the_cache_with_what_is_said_in_it() -> None:
    cache = Histories().cache(max_bytes=10_000)
    cache.begin(RUN, opened(), 1_000)
    cache.begin(OTHER, opened(), 1_000)

    cache.record(OTHER, "", said(1, Message.assistant("x")), 4_500)

    assert cache.peek(RUN) is None
    assert cache.peek(OTHER) is not None


def test_run_larger_than_the_whole_cache_is_not_kept() -> None:
    cache = Histories().cache(max_bytes=10_000)
    cache.begin(RUN, opened(), 1_000)
    cache.begin(OTHER, opened(), 1_000)

    cache.record(OTHER, "", said(1, Message.assistant("x")), 100_000)

    assert cache.peek(OTHER) is None
    assert cache.peek(RUN) is not None


async def test_cache_of_zero_bytes_keeps_nothing() -> None:
    cache = Histories().cache(max_bytes=0)
    cache.begin(RUN, opened(), 0)

    for _ in range(2):
        assert await cache.at(RUN, STEPPED.progress.head) == STEPPED
    assert (cache.hits, cache.folds, cache.peek(RUN)) == (0, 2, None)


def test_forgetting_what_is_not_there_is_no_error() -> None:
    cache = Histories().cache()
    cache.begin(RUN, opened(), 10)
    cache.forget(RUN)

    cache.forget(RUN)

    assert cache.peek(RUN) is None


async def test_fold_that_does_not_lead_to_the_head_is_not_used() -> None:
    cache = Histories(folded=OPENED).cache()

    with pytest.raises(LookupError):
        await cache.at(RUN, STEPPED.progress.head)


async def test_images_and_arguments_count_too() -> None:
    image = Message.user_parts([{"type": "image", "data": "x" * 20_000}])
    folded = ledger_of(opened(), said(1, image))
    cache = Histories(folded).cache(max_bytes=10_000)

    await cache.at(RUN, folded.progress.head)

    assert cache.peek(RUN) is None
