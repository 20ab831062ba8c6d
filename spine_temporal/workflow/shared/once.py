"""The workflow `spine.once`: a piece of work that is done by one of those who want it done."""

import contextlib
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import Claimed, ClaimRequest, DoneRequest, LeaseRequest
from spine_temporal.journal.shared.lease import Once, claimed, done, is_free
from spine_temporal.payloads import pack
from spine_temporal.workflow.arguments import any_arguments
from spine_temporal.workflow.shared.parse import heard, read

# A server has ten updates at most in flight in one workflow; the owner's next attempt must find room among them.
_MAX_WAITING: Final = 5


@workflow.defn(name=names.ONCE_WORKFLOW)
class OnceWorkflow:
    """Lets one at a time try; tells the others what came of it."""

    @workflow.init
    @any_arguments
    def __init__(self, *values: Any) -> None:
        request = heard(LeaseRequest, values)
        self._once = Once(result=request.result if request else None)
        self._waiting = 0

    @workflow.update(name=names.CLAIM_UPDATE)
    @any_arguments
    async def claim(self, *values: Any) -> RawValue:
        """Somebody wants to do it; answered when it is theirs to do, or is done."""
        request = read(ClaimRequest, values)
        while self._once.result is None and not is_free(self._once, request.owner, workflow.time()):
            await self._until_it_may_be_free(request.owner)
        if self._once.result is not None:
            return pack(Claimed(granted=False, result=self._once.result))
        self._once = claimed(self._once, request, workflow.time())
        return pack(Claimed(granted=True))

    @claim.validator
    @any_arguments
    def check_claim(self, *values: Any) -> None:
        """Refuse what is no claim, also one that would have to wait where enough wait already."""
        request = read(ClaimRequest, values)
        waits = self._once.result is None and not is_free(self._once, request.owner, workflow.time())
        if waits and self._waiting >= _MAX_WAITING:
            raise ApplicationError("others wait for it already: ask again", type=names.CROWDED, non_retryable=True)

    @workflow.signal(name=names.DONE_SIGNAL)
    @any_arguments
    def done(self, *values: Any) -> None:
        """The owner has done it, or gives it up."""
        request = heard(DoneRequest, values)
        if request is not None:
            self._once = done(self._once, request)

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> RawValue:
        """Stay open as long as the result is to be remembered; closed, the server keeps it for a while longer."""
        request = read(LeaseRequest, values)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._once.result is not None, timeout=request.remember_s)
        if self._once.result is not None:
            await self._remember(request)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._once.result is None:
            # Failed, not completed: the next who wants it done begins anew.
            raise ApplicationError("it was claimed, but nobody has done it", type=names.NOT_DONE, non_retryable=True)
        return pack(Claimed(granted=False, result=self._once.result))

    async def _remember(self, request: LeaseRequest) -> None:
        until_s = request.until_s or workflow.time() + request.remember_s
        try:
            await workflow.wait_condition(
                lambda: workflow.info().is_continue_as_new_suggested(), timeout=max(0.0, until_s - workflow.time())
            )
        except TimeoutError:
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(pack(request.model_copy(update={"result": self._once.result, "until_s": until_s})))

    async def _until_it_may_be_free(self, owner: str) -> None:
        left_s = self._once.until_s - workflow.time()
        self._waiting += 1
        try:
            await workflow.wait_condition(
                lambda: self._once.result is not None or self._once.owner in (None, owner), timeout=max(0.0, left_s)
            )
        except TimeoutError:
            # The owner is taken for lost; of those who wait, the first to look gets it.
            return
        finally:
            self._waiting -= 1


@workflow.defn(name=names.ONCE_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class VersionedOnce(OnceWorkflow):
    """The same on a versioned worker: a server takes a versioning behavior from no other."""

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> RawValue:
        """As on any worker."""
        return await super().run(*values)
