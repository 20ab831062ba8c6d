"""Requests to the workflows that guard money, side effects, a rate."""

from pydantic import Field

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.policies import Seconds


class Charge(WireModel):
    """The signal `spine.charge`: what one model call cost."""

    id: str
    """Of this call; sent twice, it counts once."""
    cost_usd: float = Field(default=0.0, allow_inf_nan=False)
    tokens: int = 0


class BudgetState(WireModel):
    """The input of the workflow `spine.budget`, the answer to its query `spine.spent`."""

    cost_usd: float = 0.0
    tokens: int = 0
    recent: tuple[str, ...] = ()
    """The ids of the last charges."""


class TakeRequest(WireModel):
    """The update `spine.take`: a worker wants to call the model, once or several times."""

    ids: tuple[str, ...]
    """Of these calls; one that is asked for again while it waits keeps its turn."""
    max_calls: int = Field(gt=0)
    per_s: float = Field(gt=0, allow_inf_nan=False)
    sits_out_s: float | None = Field(default=None, allow_inf_nan=False)
    """A call that has to wait for longer asks again when its turn has come; None: each sits its wait out."""


class BucketReply(WireModel):
    """The answer to `spine.take`."""

    waits_s: tuple[float, ...]
    """How long each of the calls has to wait; 0: it may begin."""


class BucketState(WireModel):
    """The input of the workflow `spine.rate`: what is promised already."""

    full_at_s: float = 0.0
    """When the bucket would be full again, in Unix time."""
    turns: dict[str, float] = Field(default_factory=dict)
    """When those that will ask again may begin, by the ids of their calls."""


class ClaimRequest(WireModel):
    """The update `spine.claim`: somebody is about to do what must be done once."""

    owner: str
    """Who; another attempt of the same work bears the same name."""
    lease_s: Seconds
    """After so long without a word, the owner is taken for lost."""


class Claimed(WireModel):
    """The answer to `spine.claim`."""

    granted: bool
    """Do it, then say `spine.done`; else it was done before."""
    result: str = ""
    """What came of it then, as JSON."""


class DoneRequest(WireModel):
    """The signal `spine.done`: the owner has done it, or gives up its claim."""

    owner: str
    result: str | None = None
    """What came of it, as JSON; None: nothing was done."""


class LeaseRequest(WireModel):
    """The input of the workflow `spine.once`."""

    remember_s: Seconds
    """How long it stays open, with the result, once that is there."""
    result: str | None = None
    """What an earlier execution had: it goes on with it."""
    until_s: float = 0.0
    """Until when, in Unix time."""
