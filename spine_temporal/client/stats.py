"""What runs have used up, summed from the server's lists alone."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from spine_temporal.client.indexed import Indexed, indexed
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.status import published_status, status_word
from spine_temporal.connection.search_attributes import look
from spine_temporal.connection.visibility import list_pages

type Dimension = Literal["agent", "tenant", "status"]

DIMENSIONS: Final[tuple[Dimension, ...]] = ("agent", "tenant", "status")
_PAGE: Final = 1000


class StatsRow(ReadModel):
    """The sums over some runs.

    What an agent used that worked for another run is in that run's figures, too. So where both are summed up in one
    row, it is counted once.
    """

    agent: str | None = None
    """None, as of the others: the runs were not separated by it, or have none."""
    tenant: str | None = None
    status: str | None = None
    runs: int
    steps: int
    tokens: int
    cost_usd: float | None
    """Of the runs whose cost is known; None: of none."""
    unpriced_runs: int
    """Those whose cost is not known, or not all of it: it is not in `cost_usd`."""


class RunStats(ReadModel):
    """What runs have used up, as of each run's last change of status."""

    by: tuple[Dimension, ...]
    rows: tuple[StatsRow, ...]
    """The dearest first."""
    total: StatsRow
    unindexed_runs: int
    """Runs that set no search attributes: they are in no sum, and whether they fit is known as far as lists say it."""
    missing_attributes: tuple[str, ...]
    """The search attributes that the server lacks, or that somebody created with another type."""


@dataclass(frozen=True, slots=True)
class _Counted:
    id: str
    above: frozenset[str]
    """Workflow ids of the run's parent and of the root of its tree."""
    key: tuple[str | None, ...]
    known: Indexed


@dataclass(slots=True)
class _Runs:
    counted: list[_Counted] = field(default_factory=list)
    unindexed: int = 0


async def read_stats(client: Client, wanted: RunFilter, *, by: Sequence[Dimension] = DIMENSIONS) -> RunStats:
    """The sums over the runs that are asked for; pages of the server's list are read, no histories."""
    attributes = await look(client)
    runs = _Runs()
    async for page in list_pages(client, wanted.query(attributes.there), _PAGE):
        for info in page:
            await _count(client, runs, info, wanted, by)
    groups = defaultdict[tuple[str | None, ...], list[_Counted]](list)
    for each in runs.counted:
        groups[each.key].append(each)
    rows = [_row(dict(zip(by, key, strict=True)), some) for key, some in groups.items()]
    return RunStats(
        by=tuple(by),
        rows=tuple(sorted(rows, key=_dearest_first)),
        total=_row({}, runs.counted),
        unindexed_runs=runs.unindexed,
        missing_attributes=tuple(attributes.missing),
    )


async def _count(
    client: Client, runs: _Runs, info: WorkflowExecutionInfo, wanted: RunFilter, by: Collection[Dimension]
) -> None:
    known, published = indexed(info), await published_status(info, client.data_converter)
    if not wanted.may_fit(info, published, known):
        return
    if known is None:
        runs.unindexed += 1
        return
    values = {
        "agent": published.agent if published is not None else known.agent,
        "tenant": known.tenant,
        "status": status_word(info, published, known.reason),
    }
    id_ = info.execution.workflow_id
    above = {info.parent_execution.workflow_id, info.root_execution.workflow_id} - {id_, ""}
    runs.counted.append(_Counted(id_, frozenset(above), tuple(values[each] for each in by), known))


def _row(key: dict[Dimension, str | None], some: Sequence[_Counted]) -> StatsRow:
    ids = {each.id for each in some}
    tops = [each.known for each in some if ids.isdisjoint(each.above)]
    priced = [known.cost_usd for known in tops if known.cost_usd is not None]
    return StatsRow(
        **key,
        runs=len(some),
        steps=sum(each.known.step for each in some),
        tokens=sum(known.tokens for known in tops),
        cost_usd=math.fsum(priced) if priced else None,
        unpriced_runs=len(tops) - len(priced),
    )


def _dearest_first(row: StatsRow) -> tuple[float, int, str]:
    return -(row.cost_usd or 0.0), -row.tokens, f"{row.agent}/{row.tenant}/{row.status}"
