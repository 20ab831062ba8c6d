"""The workflow `spine.checkpoint`: its history keeps a session of the plain kernel."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior

from spine_temporal.contracts import names
from spine_temporal.workflow.arguments import any_arguments


@workflow.defn(name=names.CHECKPOINT_WORKFLOW)
class CheckpointWorkflow:
    """Stays open so that puts can be added to its history. The server records them with no worker there."""

    @workflow.signal(dynamic=True)
    def on_signal(self, _name: str, _values: Sequence[RawValue]) -> None:
        """A put is in the history by the time this is called: nothing is left to do. So it is with anything else."""

    @workflow.run
    @any_arguments
    async def run(self, *_: Any) -> None:
        """Wait until the session is deleted, which cancels or terminates this workflow."""
        await workflow.wait_condition(lambda: False)


@workflow.defn(name=names.CHECKPOINT_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class VersionedCheckpoint(CheckpointWorkflow):
    """The same on a versioned worker: a server takes a versioning behavior from no other."""

    @workflow.run
    @any_arguments
    async def run(self, *_: Any) -> None:
        """As on any worker."""
        await super().run()
