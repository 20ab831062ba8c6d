"""A rate of model calls that all workers share."""

import asyncio
from typing import TYPE_CHECKING, Final

import anyio
from spine_core import StepContext

from spine_temporal.contracts import names
from spine_temporal.contracts.base import is_time
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.contracts.shared_limits import BucketReply, BucketState, TakeRequest
from spine_temporal.errors import BadInput
from spine_temporal.middleware.server_state import StateWorkflow, name_of_work

if TYPE_CHECKING:
    from temporalio.client import Client

# A wait that is shorter than a round trip through the server, with time to spare, is sat out.
_SITS_OUT_S: Final = 2.0


class RateLimit:
    """Lets `max_calls` model calls begin per `per_s` seconds, counted over all workers of the namespace.

    It is `spine_middleware.RateLimit`, with the bucket kept in Temporal. Calls begin in the order in which they asked.
    One that has to wait for longer than two seconds leaves its worker free: its step is tried again when its turn has
    come, from its first hook on; beyond 20,000 that wait, some may have to wait anew. `name` tells limits apart; those
    of one name share a bucket.

    The bucket is in the workflow `spine.rate-<name>`, which the workers of `task_queue` work on; None: those of the
    first run that asks.

    Raises:
        BadInput: `max_calls` is not positive, or `per_s` is no time that a server could wait.
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
        if not isinstance(max_calls, int) or max_calls <= 0 or not is_time(per_s):
            raise BadInput(
                f"max_calls is {max_calls!r}, per_s is {per_s!r}; they are a number above 0, and one of seconds above "
                "0 and up to ten years"
            )
        self.max_calls = max_calls
        self.per_s = per_s
        self.name = name
        self._keeper = StateWorkflow(client, task_queue, None)
        self._asking: dict[str, asyncio.Future[float]] = {}
        self._asker: asyncio.Task[None] | None = None

    async def before_model(self, ctx: StepContext) -> None:  # noqa: ARG002 - the kernel's signature
        """Wait for the call's turn."""
        from temporalio import activity

        wait_s = await self._turn()
        if wait_s > _SITS_OUT_S and activity.in_activity():
            raise RetryLater(wait_s)
        if wait_s > 0:
            await anyio.sleep(wait_s)

    async def _turn(self) -> float:
        """In how many seconds it comes. Those who ask while a request is under way share the next one."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[float] = loop.create_future()
        self._asking[name_of_work()] = turn
        if self._asker is None or self._asker.done() or self._asker.get_loop() is not loop:
            self._asker = loop.create_task(self._ask())
        return await turn

    async def _ask(self) -> None:
        while self._asking:
            asking, self._asking = self._asking, {}
            answer: tuple[float, ...] | Exception
            try:
                answer = await self._take(tuple(asking))
            except Exception as error:  # noqa: BLE001 - those who asked get it
                answer = error
            for position, turn in enumerate(asking.values()):
                if turn.done():
                    continue
                if isinstance(answer, Exception):
                    turn.set_exception(answer)
                else:
                    turn.set_result(answer[position])

    async def _take(self, ids: tuple[str, ...]) -> tuple[float, ...]:
        from temporalio import activity

        from spine_temporal.payloads import pack, unpack

        sits_out_s = _SITS_OUT_S if activity.in_activity() else None
        request = TakeRequest(ids=ids, max_calls=self.max_calls, per_s=self.per_s, sits_out_s=sits_out_s)
        workflow_id = f"{names.RATE_ID_PREFIX}{self.name}"
        answer = await self._keeper.updated(
            names.TAKE_UPDATE, pack(request), names.RATE_WORKFLOW, pack(BucketState()), workflow_id
        )
        return unpack(BucketReply, answer).waits_s
