"""What an activity's work is surrounded by, so that those who watch the run see it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

from spine_core import Agent
from temporalio import activity

from spine_temporal.journal.ledger import Ledger
from spine_temporal.telemetry.logs import logs_of
from spine_temporal.telemetry.metrics import Counting, Metrics
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.telemetry.run_spans import traced
from spine_temporal.telemetry.spans import span_of_the_end, spans_of


@contextmanager
def watched(
    telemetry: Telemetry, metrics: Metrics, agent: Agent, ledger: Ledger, *, step: int, index: int | None = None
) -> Iterator[None]:
    """While a step is taken, or its call `index` is carried out."""
    info = activity.info()
    name = ledger.spec.agent
    logs_of(str(info.workflow_run_id), name)
    with (
        Counting(metrics, name),
        metrics.step(name) if index is None else nullcontext(),
        traced(telemetry, ledger, step=step, index=index) as ours,
        spans_of(agent, ledger, str(info.workflow_id), ours),
    ):
        yield


@asynccontextmanager
async def end_watched(
    telemetry: Telemetry, agent: Agent, ledger: Ledger, began_s: float | None, *, first: bool
) -> AsyncIterator[None]:
    """While the `on_run_end` hooks run, of work that began at `began_s`; `first`: `on_run_start` runs there, too."""
    info = activity.info()
    workflow_id = str(info.workflow_id)
    logs_of(str(info.workflow_run_id), ledger.spec.agent)
    with traced(telemetry, ledger, step=ledger.progress.step) as ours:
        async with span_of_the_end(agent, ledger, workflow_id, began_s, ours, first=first):
            yield
