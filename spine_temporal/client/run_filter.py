"""Which runs are asked for, as a query of Temporal's lists and as a look at one row."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from spine_temporal.client.indexed import Indexed
from spine_temporal.client.status import FAILED, PUBLISHED, SUSPENDED, may_be_any, status_word
from spine_temporal.connection.visibility import equals
from spine_temporal.contracts import names
from spine_temporal.contracts.search_attributes import keyword
from spine_temporal.contracts.status import StatusRecord

# What no run has that set no attributes, and every other one.
_UNINDEXED: Final = f"{names.TOKENS_ATTRIBUTE} IS NULL"
_HAS_ENDED: Final = "ExecutionStatus IN ('Completed', 'Failed')"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are asked for; None: whichever.

    Cost is what a run has spent as of its last change of status; one whose cost is unknown is neither above a limit nor
    below it. `since` and `until` are about when the run started, or when the execution that continues it did.
    """

    agent: str | None = None
    tenant: str | None = None
    status: str | None = None
    min_cost_usd: float | None = None
    max_cost_usd: float | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrow(self) -> bool:
        """Rows that a server finds may not fit: what it has no index for is looked at row by row."""
        costs = (self.min_cost_usd, self.max_cost_usd)
        asked = self.agent is not None or self.tenant is not None or any(cost is not None for cost in costs)
        return asked or self.status in (*PUBLISHED, FAILED)

    def query(self, there: Collection[str]) -> str:
        """The query for a server that has these search attributes.

        It finds what set none, too: those runs began when the server had none, and may fit.
        """
        parts = [equals("WorkflowType", names.AGENT_WORKFLOW), "ExecutionStatus != 'ContinuedAsNew'"]
        parts += self._of_status(there)
        parts += self._of_texts(there)
        parts += self._of_cost(there)
        parts += [f"StartTime >= '{_written(self.since)}'"] if self.since is not None else []
        parts += [f"StartTime <= '{_written(self.until)}'"] if self.until is not None else []
        return " AND ".join(filter(None, parts))

    def may_fit(self, info: WorkflowExecutionInfo, published: StatusRecord | None, known: Indexed | None) -> bool:
        """Whether nothing speaks against a run that the query found, as far as its row in the list says."""
        if self.agent is not None and published is not None and published.agent != self.agent:
            return False
        if may_be_any(info, published):
            return known is None or self._fits_known(known.tenant, known.cost_usd)
        reason = known.reason if known is not None else None
        word = status_word(info, published, reason)
        if self.status not in (None, word) and (reason is not None or not self._may_have_failed(word)):
            return False
        return known is None or self._fits_known(known.tenant, known.cost_usd)

    def fits(self, *, agent: str, tenant: str | None, status: str, cost_usd: float | None) -> bool:
        """Whether a run of which all is known fits."""
        return (
            self.agent in (None, agent)
            and self.status in (None, status)
            and self._fits_known(keyword(tenant) if tenant else None, cost_usd)
        )

    def _fits_known(self, tenant: str | None, cost_usd: float | None) -> bool:
        if self.tenant is not None and tenant != keyword(self.tenant):
            return False
        if self.min_cost_usd is not None and (cost_usd is None or cost_usd < self.min_cost_usd):
            return False
        return self.max_cost_usd is None or (cost_usd is not None and cost_usd <= self.max_cost_usd)

    def _may_have_failed(self, word: str) -> bool:
        return self.status == FAILED and word in ("idle", "completed")

    def _of_status(self, there: Collection[str]) -> Iterator[str]:
        if self.status is None:
            return
        if self.status in PUBLISHED:
            yield "ExecutionStatus = 'Running'"
            if names.STATUS_ATTRIBUTE in there:
                yield _published(self.status)
        elif self.status == FAILED:
            idle = f" AND {_published('idle')}" if names.STATUS_ATTRIBUTE in there else ""
            yield f"({_HAS_ENDED} OR (ExecutionStatus = 'Running'{idle}))"
            if {names.STOP_REASON_ATTRIBUTE, names.TOKENS_ATTRIBUTE} <= set(there):
                yield f"(ExecutionStatus = 'Failed' OR {names.STOP_REASON_ATTRIBUTE} = 'error' OR {_UNINDEXED})"
        else:
            word = "Paused" if self.status == SUSPENDED else self.status.title().replace("_", "")
            yield f"ExecutionStatus = '{word}'"

    def _of_texts(self, there: Collection[str]) -> Iterator[str]:
        of_agent = _is(names.AGENT_ATTRIBUTE, self.agent)
        if of_agent is not None and names.AGENT_ATTRIBUTE in there:
            yield f"({of_agent} OR {names.AGENT_ATTRIBUTE} IS NULL)"
        of_tenant = _is(names.TENANT_ATTRIBUTE, self.tenant)
        # Not every run has a tenant: one that has none is not one of which it is not known.
        if of_tenant is not None and {names.TENANT_ATTRIBUTE, names.TOKENS_ATTRIBUTE} <= set(there):
            yield f"({of_tenant} OR {_UNINDEXED})"

    def _of_cost(self, there: Collection[str]) -> Iterator[str]:
        if not {names.COST_ATTRIBUTE, names.TOKENS_ATTRIBUTE} <= set(there):
            return
        for sign, limit in ((">=", self.min_cost_usd), ("<=", self.max_cost_usd)):
            if limit is not None:
                yield f"({names.COST_ATTRIBUTE} {sign} {limit:.9f} OR {_UNINDEXED})"


def _is(name: str, text: str | None) -> str | None:
    return equals(name, keyword(text)) if text is not None else None


def _published(status: str) -> str:
    # A run that has not stopped yet, or began when the server had no such attribute, has none: its memo is looked at.
    return f"({names.STATUS_ATTRIBUTE} = '{status}' OR {names.STATUS_ATTRIBUTE} IS NULL)"


def _written(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()
