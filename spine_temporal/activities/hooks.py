"""What users' code raises, as an exception that can be recorded with its origin."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from spine_core import StopRun

from spine_temporal.activities.current import Attempt, Doing, context_of, forget_own_cancellation, is_asked_for
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


def text_of(value: object) -> str:
    """`str(value)`, whatever its class makes of that."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - users' code, on the way to say what users' code did
        return f"(str() of it raises {type(error).__name__})"


def _in_words(error: BaseException) -> str:
    name, text = type(error).__name__, text_of(error)
    if isinstance(error, BaseExceptionGroup):
        return f"{name}: {text} ({'; '.join(_in_words(each) for each in error.exceptions)})"
    return f"{name}: {text}" if text or isinstance(error, Exception) else name


class Contained:
    """Turns what the body raises into `Escaped` if it is no `Exception`; a cancellation that is asked for passes."""

    def __enter__(self) -> None:
        """Nothing happens before."""

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and not isinstance(error, Exception) and not is_asked_for(error):
            raise Escaped(error) from error


class Hook(Doing):
    """Turns what a hook raises into `HookRaised`; `StopRun`, `RetryLater` and a cancellation that is asked for pass."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the hook {name}")
        self._name = name

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(type_, error, traceback)
        if error is not None and not isinstance(error, StopRun | RetryLater) and not is_asked_for(error):
            raise HookRaised(self._name, error) from error


def begin[Outcome](work: Callable[[Attempt], Awaitable[Outcome]], attempt: Attempt) -> "asyncio.Task[Outcome]":
    """Do `work` in a task of its own, in which `attempt` is the current one, and all that it raises is contained."""

    async def contained() -> Outcome:
        with Contained():
            outcome = await work(attempt)
            await forget_own_cancellation()
            return outcome

    # At once, and not when the loop turns next: many a tool is over by then.
    loop, context = asyncio.get_running_loop(), context_of(attempt)
    return asyncio.Task(contained(), loop=loop, context=context, eager_start=True)
