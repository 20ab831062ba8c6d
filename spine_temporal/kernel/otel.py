"""What spine's OpenTelemetry middleware keeps: its tracer, its open runs."""

from typing import TYPE_CHECKING

from opentelemetry.trace import Tracer

if TYPE_CHECKING:
    from spine_otel.middleware import OTelMiddleware


def tracer_of(middleware: "OTelMiddleware") -> Tracer:
    """The tracer that its spans come from."""
    return middleware._tracer  # noqa: SLF001


def set_tracer(middleware: "OTelMiddleware", tracer: Tracer) -> None:
    """Have its spans come from `tracer` from now on."""
    middleware._tracer = tracer  # noqa: SLF001


def forget_run(middleware: "OTelMiddleware", session_id: str) -> None:
    """Drop what it keeps of a run until the run's end, which may come to another process."""
    middleware._runs.pop(session_id, None)  # noqa: SLF001
