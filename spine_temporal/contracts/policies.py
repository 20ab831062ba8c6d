"""How long an activity may take, how often it is tried."""

import builtins
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from spine_temporal.contracts.base import LONGEST_S, RECORDED, GivenModel

WORKER_SILENCE_S: Final = 5.0
"""A worker that has not been heard for this long is taken for dead: what it had in hand is given to another.

It holds for activities and for workflow tasks in hand; Temporal's own default for these is 10 s. Replaying a history of
4,096 events, where a run continues as new, takes about a second; local activities renew the time of their task.
"""
CACHE_WAIT_S: Final = 2.5
"""How long a workflow task waits for the worker that has its run in the cache; Temporal's own default is 10 s.

A run and the agent that works for it may wait one after the other. Too short, a busy worker's runs are replayed.
"""

type Seconds = Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
"""A time limit: a number of seconds above 0, ten years at most."""

SHORTEST_LIMIT_S: Final = 0.01
"""An attempt that has less time than this is over before the server hears of it."""


def _long_enough(value: float, info: ValidationInfo) -> float:
    if value < SHORTEST_LIMIT_S and info.context is not RECORDED:
        raise ValueError(f"a time limit is {SHORTEST_LIMIT_S:g} s at least")
    return value


type Limit = Annotated[Seconds, AfterValidator(_long_enough)]
"""How long an attempt may take, or be silent."""


def _path(class_: type) -> str:
    return f"{class_.__module__}.{class_.__qualname__}"


def _name_of(given: object) -> object:
    """The name that is recorded.

    Raises:
        ValueError: it is a class, and no exception that can be tried again.
    """
    if isinstance(given, type):
        if not issubclass(given, Exception):
            raise ValueError(f"{given.__name__} is no Exception")  # noqa: TRY004 - pydantic reports this one
        return _path(given)
    own = getattr(builtins, given, None) if isinstance(given, str) else None
    return _path(own) if isinstance(own, type) and issubclass(own, Exception) else given


type ExceptionName = Annotated[str, BeforeValidator(_name_of), Field(min_length=1, max_length=500)]
"""A class of exceptions: given as itself, or by module and name ("httpx.ReadError"); one of Python's own, by name."""


class ActivityPolicy(GivenModel):
    """Time limits and attempts of one kind of activity, recorded in a run's spec when the run opens.

    An attempt is spent when a passing failure (connection, 429, 5xx) or its time limit ends it. Those that end because
    no heartbeat came (a dead worker, a machine too busy to beat) are counted apart, up to the same number. Handing over
    at a worker's shutdown spends none.
    """

    timeout_s: Limit = 3600.0
    """How long one attempt may take."""
    heartbeat_s: Limit = WORKER_SILENCE_S
    """A worker silent for this long is taken for dead; its work goes to another. It beats five times as often."""
    attempts: int = Field(default=10, ge=1, le=1_000_000)
    retry_first_s: Seconds = 1.0
    """Pause before the second attempt; it doubles for each further one. A provider's Retry-After goes before it."""
    retry_longest_s: Seconds = 60.0
    at_most_once: bool = False
    """Once the tool's code, or the model's, has been reached, there is no further attempt: when the worker is lost or
    stopped after that, nobody knows whether it was done, and the model reads so."""
    retry_on: tuple[ExceptionName, ...] = ()
    """Exceptions that pass, with their subclasses. What a tool raises is the model's to read, unless it is one of
    these; of the failures of a model call, those that are known to pass do so anyway."""
    task_queue: str | None = Field(default=None, min_length=1, max_length=1000)
    """Where it is executed: workers of the same agents poll there. None: where the run's workers poll."""

    def overridden(self, by: "ActivityPolicy | None") -> "ActivityPolicy":
        """This policy, with what `by` says in so many words in the place of its own."""
        return self if by is None else self.model_copy(update={name: getattr(by, name) for name in by.model_fields_set})

    def is_retried(self, error: BaseException) -> bool:
        """Whether `error` is one of `retry_on`."""
        return not {_path(class_) for class_ in type(error).__mro__}.isdisjoint(self.retry_on)


DEFAULT_POLICY: Final = ActivityPolicy.model_construct()
"""For models that have one as a default: it is not validated, so that importing them builds no validator."""


class ContinuePolicy(GivenModel):
    """When a run continues as a new execution, so that no history reaches the server's limits.

    It also does when the server suggests it, at 4,096 events or 4 MB on a stock one. None leaves it to the server.
    """

    events: int | None = Field(default=None, ge=1)
    size_bytes: int | None = Field(default=None, ge=1)
