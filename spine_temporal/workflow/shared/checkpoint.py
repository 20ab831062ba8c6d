"""The workflow `spine.checkpoint`: its history keeps a session of the plain kernel."""

from temporalio import workflow
from temporalio.common import RawValue

from spine_temporal.contracts import names


@workflow.defn(name=names.CHECKPOINT_WORKFLOW)
class CheckpointWorkflow:
    """Stays open so that puts can be added to its history. The server records them with no worker there."""

    @workflow.signal(name=names.PUT_SIGNAL)
    def put(self, head: RawValue, body: RawValue) -> None:
        """A put is in the history by the time this is called: nothing is left to do."""

    @workflow.run
    async def run(self) -> None:
        """Wait until the session is deleted, which cancels or terminates this workflow."""
        await workflow.wait_condition(lambda: False)
