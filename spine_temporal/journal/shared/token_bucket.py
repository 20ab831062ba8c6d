"""Whose turn it is at a rate that several workers share."""

from typing import Final

from spine_temporal.contracts.shared_limits import BucketState, TakeRequest

# Who has not come by then, has been given up, or its worker has.
_LATE_S: Final = 3600.0
# Of some sixty bytes each, and a codec may make a third more of it: a stock server takes 2 MB.
_MOST_CARRIED: Final = 20_000


def taken(pace: BucketState, request: TakeRequest, now_s: float) -> tuple[BucketState, tuple[float, ...]]:
    """The pace with those calls in it, and in how many seconds each of them may begin.

    A token bucket that holds `max_calls` and fills with `max_calls` per `per_s` seconds. Nobody waits here: a call
    gets its turn at once, and waits for it elsewhere. So calls begin in the order in which they asked. One that comes
    back for its turn has it.
    """
    interval_s = request.per_s / request.max_calls
    burst_s = (request.max_calls - 1) * interval_s
    turns = {id_: turn for id_, turn in pace.turns.items() if turn > now_s - _LATE_S}
    full_at_s, waits_s = pace.full_at_s, list[float]()
    for id_ in request.ids:
        turn = turns.pop(id_, None)
        if turn is None:
            full_at_s = max(full_at_s, now_s)
            turn = max(now_s, full_at_s - burst_s)
            full_at_s += interval_s
        wait_s = max(0.0, turn - now_s)
        if request.sits_out_s is not None and wait_s > request.sits_out_s:
            turns[id_] = turn
        waits_s.append(wait_s)
    return BucketState(full_at_s=full_at_s, turns=turns), tuple(waits_s)


def carried(pace: BucketState) -> BucketState:
    """The pace as the next execution begins with it.

    A server would refuse one with very many turns for ever, and no call would begin any more. Those that are furthest
    away are forgotten: whose turn it was gets another one when it comes back.
    """
    if len(pace.turns) <= _MOST_CARRIED:
        return pace
    nearest = sorted(pace.turns.items(), key=lambda each: each[1])[:_MOST_CARRIED]
    return pace.model_copy(update={"turns": dict(nearest)})
