"""What users' code raises, as an exception that can be recorded with its origin."""

from collections.abc import Iterator
from contextlib import contextmanager

from spine_core import StopRun

from spine_temporal.activities.current import doing, is_asked_for
from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.redact import redact


class Escaped(Exception):
    """Users' code raised what is no `Exception`, as `SystemExit`, or a `CancelledError` that nobody asked for.

    It is their code's outcome like any other; raised on, it would end the worker, or look like a cancellation.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(in_words(error))


class HookRaised(Exception):
    """A hook raised something that is not `StopRun`: the kernel would let it escape from `run()`."""

    def __init__(self, hook: str, error: BaseException) -> None:
        super().__init__(f"{hook} raised {in_words(error)}")
        self.error = error if isinstance(error, Exception) else Escaped(error)


def in_words(error: BaseException) -> str:
    """The type of `error` with its text, as a failure can hold it; what is secret in it is masked."""
    return readable(redact(_in_words(error)))


def _in_words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return f"{type(error).__name__}: {error} ({'; '.join(_in_words(each) for each in error.exceptions)})"
    return f"{type(error).__name__}: {error}" if str(error) or isinstance(error, Exception) else type(error).__name__


@contextmanager
def contained() -> Iterator[None]:
    """Turn what the body raises into `Escaped` if it is no `Exception`; a cancellation that is asked for passes."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if is_asked_for(error):
            raise
        raise Escaped(error) from error


@contextmanager
def naming(hook: str) -> Iterator[None]:
    """Turn what a hook raises into `HookRaised`; `StopRun`, `RetryLater` and a cancellation that is asked for pass."""
    try:
        with doing(f"the hook {hook}"):
            yield
    except (StopRun, RetryLater):
        raise
    except BaseException as error:
        if is_asked_for(error):
            raise
        raise HookRaised(hook, error) from error
