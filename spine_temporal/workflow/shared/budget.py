"""The workflow `spine.budget`: what a tenant has spent."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior

from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import BudgetState, Charge
from spine_temporal.journal.shared.spend import charged
from spine_temporal.payloads import pack
from spine_temporal.workflow.arguments import any_arguments
from spine_temporal.workflow.shared.parse import heard, read, until_grown


@workflow.defn(name=names.BUDGET_WORKFLOW)
class BudgetWorkflow:
    """Adds up charges, for ever."""

    @workflow.init
    @any_arguments
    def __init__(self, *values: Any) -> None:
        self._spent = heard(BudgetState, values) or BudgetState()

    @workflow.signal(name=names.CHARGE_SIGNAL)
    @any_arguments
    def charge(self, *values: Any) -> None:
        """A model call was paid for."""
        charge = heard(Charge, values)
        if charge is not None:
            self._spent = charged(self._spent, charge)

    @workflow.query(name=names.SPENT_QUERY)
    def spent(self) -> RawValue:
        """The sum of all charges that came before the question."""
        return pack(self._spent.model_copy(update={"recent": ()}))

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> None:
        """Go on as a new execution whenever the history has grown."""
        read(BudgetState, values)
        await until_grown()
        workflow.continue_as_new(pack(self._spent))


@workflow.defn(name=names.BUDGET_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class VersionedBudget(BudgetWorkflow):
    """The same on a versioned worker: a server takes a versioning behavior from no other."""

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> None:
        """As on any worker."""
        await super().run(*values)
