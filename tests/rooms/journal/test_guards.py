"""What several workers share: the sum they spent, whose turn it is, who does what is to be done once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spine_temporal.contracts.shared_limits import (
    BucketState,
    BudgetState,
    Charge,
    ClaimRequest,
    DoneRequest,
    TakeRequest,
)
from spine_temporal.journal.shared.lease import Once, claimed, done, is_free
from spine_temporal.journal.shared.spend import charged
from spine_temporal.journal.shared.token_bucket import carried, taken

QUICK = settings(max_examples=150, deadline=None, derandomize=True)


def test_a_charge_that_comes_twice_counts_once() -> None:
    spent = BudgetState()
    for id_ in ("a", "b", "a"):
        spent = charged(spent, Charge(id=id_, cost_usd=0.5, tokens=7))

    assert (spent.cost_usd, spent.tokens) == (1.0, 14)


def test_only_the_last_charges_are_remembered() -> None:
    spent = BudgetState()
    for n in range(1200):
        spent = charged(spent, Charge(id=str(n), tokens=1))

    assert spent.tokens == 1200
    assert spent.recent == tuple(str(n) for n in range(700, 1200))


def test_a_burst_begins_at_once_then_calls_begin_at_the_rate() -> None:
    request = TakeRequest(ids=tuple("abcdef"), max_calls=4, per_s=2.0)

    pace, waits_s = taken(BucketState(), request, 100.0)

    assert waits_s == (0.0, 0.0, 0.0, 0.0, 0.5, 1.0)
    assert taken(pace, TakeRequest(ids=("g",), max_calls=4, per_s=2.0), 101.0)[1] == (0.5,)


def asking(*ids: str) -> TakeRequest:
    return TakeRequest(ids=ids, max_calls=1, per_s=10.0, sits_out_s=2.0)


def test_a_call_that_asks_again_keeps_its_turn_and_has_it_when_it_has_come() -> None:
    pace, waits_s = taken(BucketState(), asking("a", "b"), 100.0)
    assert waits_s == (0.0, 10.0)

    pace, waits_s = taken(pace, asking("b", "c"), 104.0)
    assert waits_s == (6.0, 16.0)

    pace, waits_s = taken(pace, asking("b"), 110.25)
    assert waits_s == (0.0,)
    assert pace.turns == {"c": 120.0}


def test_an_attempt_after_its_turn_was_used_needs_another_one() -> None:
    pace, _ = taken(BucketState(), asking("a", "b"), 100.0)
    pace, waits_s = taken(pace, asking("b"), 108.5)
    assert waits_s == (1.5,), "it sits that out"

    assert taken(pace, asking("b"), 115.0)[1] == (5.0,)


def test_a_turn_that_nobody_comes_back_for_is_forgotten() -> None:
    pace, _ = taken(BucketState(), asking("a", "b"), 100.0)

    assert taken(pace, asking("c"), 5000.0)[0].turns == {}


def test_of_very_many_turns_the_nearest_are_carried_over() -> None:
    pace, _ = taken(BucketState(), asking(*map(str, range(20_003))), 100.0)

    assert len(pace.turns) == 20_002
    assert carried(pace).turns == {id_: turn for id_, turn in pace.turns.items() if id_ not in ("20001", "20002")}
    assert carried(carried(pace)) == carried(pace)


@QUICK
@given(
    asked=st.lists(st.tuples(st.floats(0.0, 3.0), st.integers(1, 5)), max_size=40),
    max_calls=st.integers(1, 6),
    per_s=st.sampled_from([0.5, 1.0, 7.0]),
)
def test_no_more_calls_begin_within_any_time_than_a_bucket_lets(
    asked: list[tuple[float, int]], max_calls: int, per_s: float
) -> None:
    pace, now_s, turns = BucketState(), 1000.0, list[float]()
    for pause_s, many in asked:
        now_s += pause_s
        ids = tuple(f"{now_s}/{len(turns)}/{n}" for n in range(many))
        pace, waits_s = taken(pace, TakeRequest(ids=ids, max_calls=max_calls, per_s=per_s), now_s)
        turns += [now_s + wait_s for wait_s in waits_s]

    assert turns == sorted(turns), "calls begin in the order in which they asked"
    for at, turn in enumerate(turns):
        within = sum(1 for each in turns[at:] if each < turn + per_s - 1e-6)
        # What a full bucket holds, and what flows into it meanwhile.
        assert within <= 2 * max_calls


CLAIM = ClaimRequest(owner="one", lease_s=60.0)


@pytest.mark.parametrize(
    ("once", "owner", "now_s", "free"),
    [
        (Once(), "two", 0.0, True),
        (claimed(Once(), CLAIM, 100.0), "two", 159.0, False),
        (claimed(Once(), CLAIM, 100.0), "one", 159.0, True),
        (claimed(Once(), CLAIM, 100.0), "two", 160.0, True),
        (done(claimed(Once(), CLAIM, 100.0), DoneRequest(owner="one")), "two", 101.0, True),
        (done(claimed(Once(), CLAIM, 100.0), DoneRequest(owner="one", result="1")), "one", 101.0, False),
    ],
)
def test_work_is_free_for_who_may_do_it(once: Once, owner: str, now_s: float, free: bool) -> None:
    assert is_free(once, owner, now_s) is free


def test_who_has_lost_the_claim_cannot_give_it_up_but_its_result_counts() -> None:
    once = claimed(claimed(Once(), CLAIM, 100.0), ClaimRequest(owner="two", lease_s=60.0), 200.0)

    assert done(once, DoneRequest(owner="one")) == once
    late = done(once, DoneRequest(owner="one", result='"late"'))
    assert late.result == '"late"'
    assert done(late, DoneRequest(owner="two", result='"second"')) == late
