"""Whose turn it is at a rate that several workers share."""

from spine_temporal.contracts.guarding import Pace, TakeRequest


def taken(pace: Pace, request: TakeRequest, now_s: float) -> tuple[Pace, tuple[float, ...]]:
    """The pace with those calls in it, and in how many seconds each of them may begin.

    A token bucket that holds `max_calls` and fills with `max_calls` per `per_s` seconds. Nobody waits here: a call
    gets its turn at once, and waits for it elsewhere. So calls begin in the order in which they asked, and one that
    is lost while it waits loses its turn to nobody.
    """
    interval_s = request.per_s / request.max_calls
    burst_s = (request.max_calls - 1) * interval_s
    turns = {id_: turn for id_, turn in pace.turns.items() if turn > now_s}
    full_at_s, waits_s = pace.full_at_s, list[float]()
    for id_ in request.ids:
        if id_ not in turns:
            full_at_s = max(full_at_s, now_s)
            turns[id_] = max(now_s, full_at_s - burst_s)
            full_at_s += interval_s
        waits_s.append(turns[id_] - now_s)
    return Pace(full_at_s=full_at_s, turns={id_: turn for id_, turn in turns.items() if turn > now_s}), tuple(waits_s)
