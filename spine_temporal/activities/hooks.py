"""The name of the hook that an exception came out of."""

from collections.abc import Iterator
from contextlib import contextmanager

from spine_core import StopRun

from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.redact import redact


class HookRaised(Exception):
    """A hook raised something that is not `StopRun`: the kernel would let it escape from `run()`."""

    def __init__(self, hook: str, error: Exception) -> None:
        super().__init__(redact(f"{hook} raised {type(error).__name__}: {error}"))
        self.error = error


@contextmanager
def naming(hook: str) -> Iterator[None]:
    """Turn what a hook raises into `HookRaised`; `StopRun` and `RetryLater` pass."""
    try:
        yield
    except (StopRun, RetryLater):
        raise
    except Exception as error:
        raise HookRaised(hook, error) from error
