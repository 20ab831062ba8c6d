"""A rate of model calls that all workers share."""

from typing import TYPE_CHECKING, Final

import anyio
from spine_core import StepContext

from spine_temporal.contracts import names
from spine_temporal.contracts.guarding import Pace, Taken, TakeRequest
from spine_temporal.contracts.postponing import Postponed
from spine_temporal.errors import BadInput
from spine_temporal.middleware.keeper import Keeper, name_of_work, patiently

if TYPE_CHECKING:
    from temporalio.client import Client

# A wait that is shorter than a round trip through the server, with time to spare, is sat out.
_SAT_OUT_S: Final = 2.0


class RateLimit:
    """Lets `max_calls` model calls begin per `per_s` seconds, counted over all workers of the namespace.

    It is `spine_middleware.RateLimit`, with the bucket kept in Temporal. Calls begin in the order in which they asked.
    One that has to wait for longer than two seconds leaves its worker free: its step is tried again when its turn has
    come, from its first hook on. `name` tells limits apart; those of one name share a bucket.

    The bucket is in the workflow `spine.rate-<name>`, which the workers of `task_queue` work on; None: those of the
    first run that asks.

    Raises:
        ValueError: `max_calls` or `per_s` is not positive.
    """

    def __init__(
        self,
        max_calls: int,
        per_s: float = 1.0,
        *,
        name: str = "default",
        client: "Client | None" = None,
        task_queue: str | None = None,
    ) -> None:
        if max_calls <= 0 or per_s <= 0:
            raise BadInput(f"max_calls is {max_calls}, per_s is {per_s}; both must be positive")
        self.max_calls = max_calls
        self.per_s = per_s
        self.name = name
        self._keeper = Keeper(client, task_queue, None)

    async def before_model(self, ctx: StepContext) -> None:  # noqa: ARG002 - the kernel's signature
        """Wait for the call's turn."""
        from temporalio import activity

        wait_s = await self._take()
        if wait_s > _SAT_OUT_S and activity.in_activity():
            raise Postponed(wait_s)
        if wait_s > 0:
            await anyio.sleep(wait_s)

    async def _take(self) -> float:
        from temporalio.client import WithStartWorkflowOperation
        from temporalio.common import RawValue, WorkflowIDConflictPolicy

        from spine_temporal.payloads import pack, unpack

        client = await self._keeper.client()
        request = TakeRequest(id=name_of_work(), max_calls=self.max_calls, per_s=self.per_s)
        answer = await patiently(
            lambda: client.execute_update_with_start_workflow(
                names.TAKE_UPDATE,
                pack(request),
                start_workflow_operation=WithStartWorkflowOperation(
                    names.RATE_WORKFLOW,
                    pack(Pace()),
                    id=f"{names.RATE_ID_PREFIX}{self.name}",
                    task_queue=self._keeper.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                ),
                result_type=RawValue,
            )
        )
        return unpack(Taken, answer).wait_s
