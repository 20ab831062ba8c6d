"""The workflow `spine.rate`: when which call may begin."""

from temporalio import workflow
from temporalio.common import RawValue

from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import BucketReply, BucketState, TakeRequest
from spine_temporal.journal.shared.token_bucket import taken
from spine_temporal.payloads import pack
from spine_temporal.workflow.shared.parse import heard, read, until_grown


@workflow.defn(name=names.RATE_WORKFLOW)
class RateWorkflow:
    """Gives each call its turn, for ever."""

    @workflow.init
    def __init__(self, value: RawValue) -> None:
        self._pace = heard(BucketState, value) or BucketState()

    @workflow.update(name=names.TAKE_UPDATE)
    def take(self, value: RawValue) -> RawValue:
        """Calls want to begin; answered at once, with how long each waits."""
        self._pace, waits_s = taken(self._pace, read(TakeRequest, value), workflow.time())
        return pack(BucketReply(waits_s=waits_s))

    @take.validator
    def check_take(self, value: RawValue) -> None:
        """Refuse what is no request."""
        read(TakeRequest, value)

    @workflow.run
    async def run(self, value: RawValue) -> None:
        """Go on as a new execution whenever the history has grown."""
        read(BucketState, value)
        await until_grown()
        workflow.continue_as_new(pack(self._pace))
