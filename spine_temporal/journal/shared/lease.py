"""Who may do what is to be done once."""

from typing import NamedTuple

from spine_temporal.contracts.shared_limits import ClaimRequest, DoneRequest


class Once(NamedTuple):
    """A piece of work that is to be done once."""

    owner: str | None = None
    """Who is doing it; None: nobody."""
    until_s: float = 0.0
    """When the owner is taken for lost, in Unix time."""
    result: str | None = None
    """What came of it, as JSON; None: it has not been done."""


def is_free(once: Once, owner: str, now_s: float) -> bool:
    """Whether `owner` may do it: nobody is, or the one who was is lost, or it is its own next attempt."""
    return once.result is None and (once.owner in (None, owner) or once.until_s <= now_s)


def claimed(once: Once, request: ClaimRequest, now_s: float) -> Once:
    """The work, in the hands of the one who asked."""
    return once._replace(owner=request.owner, until_s=now_s + request.lease_s)


def done(once: Once, request: DoneRequest) -> Once:
    """The work, done or given up.

    A late result of an owner who was taken for lost counts, too, unless another was quicker: the work was done.
    """
    if request.result is not None:
        return once if once.result is not None else once._replace(owner=None, result=request.result)
    return once._replace(owner=None) if once.owner == request.owner else once
