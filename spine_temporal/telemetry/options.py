"""What a worker shows of its runs to those who watch it."""

from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Tracer, TracerProvider

from spine_temporal.contracts.span_names import SCHEMA_URL, SCOPE


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a worker records of its runs, for `AgentWorker(telemetry=...)`.

    Spans go to `tracer_provider`, or to OpenTelemetry's global one; as long as the program has set none up, there are
    none, and they cost nothing. With `spans=False` there are none in any case. What users, models and tools say is in
    no span unless `content` is true: it then leaves the worker in clear, also where payloads are encrypted.
    """

    spans: bool = True
    content: bool = False
    tracer_provider: TracerProvider | None = None

    @property
    def enabled(self) -> bool:
        """Whether spans go anywhere, by now: a program may set a provider up at any time."""
        return self.spans and not isinstance(self._provider, ProxyTracerProvider | NoOpTracerProvider)

    def tracer(self) -> Tracer:
        """The tracer of all our spans."""
        return self._provider.get_tracer(SCOPE, schema_url=SCHEMA_URL)

    @property
    def _provider(self) -> TracerProvider:
        return self.tracer_provider or trace.get_tracer_provider()
