"""The workflow `spine.rate`: when which call may begin."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior

from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import BucketReply, BucketState, TakeRequest
from spine_temporal.journal.shared.token_bucket import carried, taken
from spine_temporal.payloads import pack
from spine_temporal.workflow.arguments import any_arguments
from spine_temporal.workflow.shared.parse import heard, read, until_grown


@workflow.defn(name=names.RATE_WORKFLOW)
class RateWorkflow:
    """Gives each call its turn, for ever."""

    @workflow.init
    @any_arguments
    def __init__(self, *values: Any) -> None:
        self._pace = heard(BucketState, values) or BucketState()

    @workflow.update(name=names.TAKE_UPDATE)
    @any_arguments
    def take(self, *values: Any) -> RawValue:
        """Calls want to begin; answered at once, with how long each waits."""
        self._pace, waits_s = taken(self._pace, read(TakeRequest, values), workflow.time())
        return pack(BucketReply(waits_s=waits_s))

    @take.validator
    @any_arguments
    def check_take(self, *values: Any) -> None:
        """Refuse what is no request."""
        read(TakeRequest, values)

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> None:
        """Go on as a new execution whenever the history has grown."""
        read(BucketState, values)
        await until_grown()
        workflow.continue_as_new(pack(carried(self._pace)))


@workflow.defn(name=names.RATE_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class VersionedRate(RateWorkflow):
    """The same on a versioned worker: a server takes a versioning behavior from no other."""

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> None:
        """As on any worker."""
        await super().run(*values)
