"""The workflow `spine.gate`: whether the version that runs it may become current."""

from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, VersioningBehavior
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.gate import GateReport, GateRequest
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow.arguments import any_arguments
from spine_temporal.workflow.shared.parse import read

# The Worker Controller gives a gate an hour.
_TIMEOUT: Final = timedelta(minutes=30)
_SILENCE: Final = timedelta(minutes=2)
_ATTEMPTS: Final = 3


@workflow.defn(name=names.GATE_WORKFLOW)
class GateWorkflow:
    """Completes if nothing is found against the version; fails if something is, with what."""

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> RawValue:
        """Have a worker of this version look; the result is a GateReport."""
        request = read(GateRequest, values) if values else GateRequest()
        result = await workflow.execute_activity(
            names.GATE_ACTIVITY,
            pack(request),
            result_type=RawValue,
            start_to_close_timeout=_TIMEOUT,
            heartbeat_timeout=_SILENCE,
            retry_policy=RetryPolicy(maximum_attempts=_ATTEMPTS),
        )
        report = unpack(GateReport, result)
        if report.problems:
            raise ApplicationError("; ".join(report.problems), type=names.GATE_CLOSED, non_retryable=True)
        return pack(report)


@workflow.defn(name=names.GATE_WORKFLOW, versioning_behavior=VersioningBehavior.PINNED)
class VersionedGate(GateWorkflow):
    """The same on a versioned worker: a server takes a versioning behavior from no other."""

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> RawValue:
        """As on any worker."""
        return await super().run(*values)
