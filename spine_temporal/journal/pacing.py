"""Whose turn it is at a rate that several workers share."""

from spine_temporal.contracts.guarding import Pace, TakeRequest


def taken(pace: Pace, request: TakeRequest, now_s: float) -> tuple[Pace, float]:
    """The pace with that call in it, and in how many seconds the call may begin.

    A token bucket that holds `max_calls` and fills with `max_calls` per `per_s` seconds. Nobody waits here: a call
    gets its turn at once, and waits for it elsewhere. So calls begin in the order in which they asked, and one that
    is lost while it waits loses its turn to nobody.
    """
    turns = {id_: turn for id_, turn in pace.turns.items() if turn > now_s}
    if request.id in turns:
        return pace.model_copy(update={"turns": turns}), turns[request.id] - now_s
    interval_s = request.per_s / request.max_calls
    full_at_s = max(pace.full_at_s, now_s)
    turn = max(now_s, full_at_s - (request.max_calls - 1) * interval_s)
    if turn > now_s:
        turns[request.id] = turn
    return Pace(full_at_s=full_at_s + interval_s, turns=turns), turn - now_s
