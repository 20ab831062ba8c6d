"""A tracer that fails costs spans, never a run."""

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


def unless_it_fails[T](do: Callable[[], T]) -> T | None:
    """What `do` returns; None, and a warning, if it raises: samplers and span processors are the program's own."""
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - they may raise anything
        _log.warning("a span is lost, for the program's tracer raised %s", type(error).__name__)
        _log.debug("what the tracer raised", exc_info=error)
        return None
