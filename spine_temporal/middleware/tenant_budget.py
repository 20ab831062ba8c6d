"""A tenant's budget that holds over all workers."""

import math
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from spine_core import StepContext, StopReason, StopRun

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.shared_limits import BudgetState, Charge
from spine_temporal.errors import BadInput
from spine_temporal.middleware.server_state import StateWorkflow, found, missed, name_of_attempt, patiently

if TYPE_CHECKING:
    from temporalio.client import Client

_NOBODY: Final = "_default"


class TenantBudget:
    """Stops a tenant's runs once they have spent `max_cost_usd` or `max_tokens` together.

    It is `spine_middleware.TenantBudget`, with the sum kept in Temporal: one for all workers of the namespace, for
    ever, whatever crashes. Each model call is charged once it is answered; one that begins after the ceiling was
    reached is refused, those in flight at that moment are still paid for. A cost that is no number (NaN) counts for
    nothing. `name` tells budgets apart ("2026-11"): each tenant has one of each name. `store` is there for the
    kernel's signature and must be None.

    The sum is in the workflow `spine.budget-<name>/<tenant>`, which the workers of `task_queue` work on; None: those
    of the first run that is charged.

    Raises:
        BadInput: there is a `store`, or a ceiling is below 0 or no number.
    """

    def __init__(
        self,
        *,
        max_cost_usd: float | None = None,
        max_tokens: int | None = None,
        store: None = None,
        message: str = "tenant budget exceeded",
        name: str = "default",
        client: "Client | None" = None,
        task_queue: str | None = None,
    ) -> None:
        for option, given in (("max_cost_usd", max_cost_usd), ("max_tokens", max_tokens)):
            if given is not None and not (isinstance(given, int | float) and given >= 0):
                raise BadInput(f"{option} is {given!r}; it is 0 or more, or None for no limit")
        self.max_cost_usd = max_cost_usd
        self.max_tokens = max_tokens
        self.message = message
        self.name = name
        self._keeper = StateWorkflow(client, task_queue, store)

    async def spend(self, tenant_id: str | None) -> dict[str, float]:
        """What the tenant has spent: "cost" in USD, "tokens". The kernel's own answers the same, without await."""
        from temporalio.common import RawValue

        from spine_temporal.payloads import unpack

        client = await self._keeper.client()
        handle = client.get_workflow_handle(self._id(tenant_id))
        with missed(handle.id):
            answer = await found(lambda: handle.query(names.SPENT_QUERY, result_type=RawValue))
        spent = unpack(BudgetState, answer) if answer is not None else BudgetState()
        return {"cost": spent.cost_usd, "tokens": float(spent.tokens)}

    async def before_model(self, ctx: StepContext) -> None:
        """Refuse the call if the budget is spent."""
        spent = await self.spend(ctx.state.tenant_id)
        if self.max_cost_usd is not None and spent["cost"] >= self.max_cost_usd:
            raise StopRun(StopReason.MAX_COST, self.message)
        if self.max_tokens is not None and spent["tokens"] >= self.max_tokens:
            raise StopRun(StopReason.MAX_TOKENS, self.message)

    async def after_model(self, ctx: StepContext) -> None:
        """Charge the call. It is in the server's keeping when this returns."""
        if ctx.response is None:
            return
        from temporalio.common import WorkflowIDConflictPolicy

        from spine_temporal.payloads import pack

        usage = ctx.response.usage
        charge = Charge(id=name_of_attempt(), cost_usd=_chargeable(usage.cost_usd), tokens=usage.total_tokens)
        client, workflow_id = await self._keeper.client(), self._id(ctx.state.tenant_id)
        await patiently(
            lambda: client.start_workflow(
                names.BUDGET_WORKFLOW,
                pack(BudgetState()),
                id=workflow_id,
                task_queue=self._keeper.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=timedelta(seconds=WORKER_SILENCE_S),
                start_signal=names.CHARGE_SIGNAL,
                start_signal_args=[pack(charge)],
            )
        )

    def _id(self, tenant_id: str | None) -> str:
        return f"{names.BUDGET_ID_PREFIX}{self.name}/{tenant_id or _NOBODY}"


def _chargeable(cost_usd: float) -> float:
    """The cost as a sum can hold it: as with spine's own, one that is no number reaches no ceiling, infinity each."""
    return 0.0 if math.isnan(cost_usd) else max(-sys.float_info.max, min(cost_usd, sys.float_info.max))
