"""The workflows that are pinned to a version, while they leave it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionInfo, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.deployments import Version, pinned_query
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.run_summary import run_name
from spine_temporal.client.status import SUSPENDED, is_open, status_word
from spine_temporal.connection.visibility import list_pages
from spine_temporal.contracts import names

_AT_ONCE: Final = 20

type CanGoOn = Callable[[WorkflowHistory], Awaitable[str | None]]
"""Why the workflows that are installed here could not go on with a history; None: they could."""


class Remaining(ReadModel):
    """A workflow that is still pinned to the version."""

    id: str
    """The run's, else the workflow's."""
    workflow_id: str
    run_id: str
    why: str
    fix: str = ""
    """What to do about it; empty: nothing, it moves by itself."""


class Leaving:
    """Asks those of a version to go, and says of each that stays why it does."""

    def __init__(self, client: Client, deployment: str, version: Version, can_go_on: CanGoOn | None) -> None:
        self.asked: set[str] = set()
        self._client, self._version, self._can_go_on = client, version, can_go_on
        self._query = pinned_query(deployment, version.build_id)
        self._problems: dict[str, str] = {}
        self._moved_in_vain: set[str] = set()
        self._listed: list[WorkflowExecutionInfo] = []
        self._by_workflow: dict[str, str] = {}

    async def ask_all(self) -> int:
        """Ask each that was not asked yet; how many are left that may be expected to move."""
        self._listed = [info async for page in list_pages(self._client, self._query) for info in page]
        for at in range(0, len(self._listed), _AT_ONCE):
            await asyncio.gather(*(self._ask(info) for info in self._listed[at : at + _AT_ONCE] if self._is_new(info)))
        helped = self._version.workers or self._can_go_on is not None
        return sum(self._may_move(info) for info in self._listed) if helped else 0

    async def remaining(self) -> list[Remaining]:
        """Those that the list still has, and that are open and pinned there when each is looked at."""
        found = []
        for at in range(0, len(self._listed), _AT_ONCE):
            found += await asyncio.gather(*(self._looked_at(info) for info in self._listed[at : at + _AT_ONCE]))
        return [each for each in found if each is not None]

    def _is_new(self, info: WorkflowExecutionInfo) -> bool:
        id_, run_id = info.execution.workflow_id, info.execution.run_id
        if info.type.name != names.AGENT_WORKFLOW or run_id in self.asked or run_id in self._problems:
            return False
        if self._by_workflow.setdefault(id_, run_id) != run_id:
            # It did continue as new, and on this version again: somebody has pinned it here.
            self._moved_in_vain.add(run_id)
            return False
        return True

    def _may_move(self, info: WorkflowExecutionInfo) -> bool:
        run_id = info.execution.run_id
        return run_id in self.asked and run_id not in self._problems and status_word(info, None) != SUSPENDED

    async def _ask(self, info: WorkflowExecutionInfo) -> None:
        execution = info.execution
        try:
            if self._can_go_on is not None and not await self._handed_over(execution, self._can_go_on):
                return
            await self._client.workflow_service.signal_workflow_execution(
                SignalWorkflowExecutionRequest(
                    namespace=self._client.namespace,
                    # That execution only: one that continues it has moved.
                    workflow_execution=execution,
                    signal_name=names.CONTINUE_SIGNAL,
                    identity=self._client.identity,
                ),
                retry=True,
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                self._problems[execution.run_id] = f"it cannot be asked: {error.message}"
                return
        self.asked.add(execution.run_id)

    async def _handed_over(self, execution: WorkflowExecution, can_go_on: CanGoOn) -> bool:
        handle = self._client.get_workflow_handle(execution.workflow_id, run_id=execution.run_id)
        problem = await can_go_on(await handle.fetch_history())
        if problem is not None:
            self._problems[execution.run_id] = f"the version that is installed here cannot go on with it: {problem}"
            return False
        # Until its next boundary: what continues a run does not inherit this.
        options = WorkflowExecutionOptions(versioning_override=VersioningOverride(auto_upgrade=True))
        await self._client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=self._client.namespace,
                workflow_execution=execution,
                workflow_execution_options=options,
                update_mask=FieldMask(paths=["versioning_override"]),
            )
        )
        return True

    async def _looked_at(self, listed: WorkflowExecutionInfo) -> Remaining | None:
        request = DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=listed.execution)
        try:
            described = await self._client.workflow_service.describe_workflow_execution(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        info = described.workflow_execution_info
        if not is_open(info) or info.versioning_info.deployment_version.build_id != self._version.build_id:
            return None
        at_work = [each.activity_type.name for each in described.pending_activities]
        why, fix = self._reason(info, at_work)
        id_ = info.execution.workflow_id
        return Remaining(id=run_name(id_), workflow_id=id_, run_id=info.execution.run_id, why=why, fix=fix)

    def _reason(self, info: WorkflowExecutionInfo, at_work: list[str]) -> tuple[str, str]:
        id_, run_id, build_id = info.execution.workflow_id, info.execution.run_id, self._version.build_id
        if info.type.name != names.AGENT_WORKFLOW:
            return f"it is a {info.type.name!r}, no run of an agent", f"keep workers of {build_id} until it ends"
        if (problem := self._problems.get(run_id)) is not None:
            return problem, f"keep workers of {build_id} until it ends"
        if status_word(info, None) == SUSPENDED:
            resume = f"`temporal workflow unpause -w {id_}`"
            return "it is suspended, and moves when somebody resumes it", f"{resume}; keep workers of {build_id} for it"
        pinned = info.versioning_info.versioning_override.pinned
        if run_id in self._moved_in_vain or pinned.behavior or pinned.version.build_id:
            let_go = f"`temporal workflow update-options -w {id_} --versioning-override-behavior unspecified`"
            return "somebody has pinned it to this version", f"{let_go}, then drain again"
        if not self._version.workers and self._can_go_on is None:
            return (
                f"it was asked, and no worker of {build_id} polls",
                f"start one, or `spine-temporal drain --build {build_id} --replay` from the image that is current",
            )
        if at_work:
            return f"it is at work ({', '.join(at_work)}), and moves when that is done", ""
        gone = f"if no worker of {build_id} is left, `spine-temporal drain --build {build_id} --replay`"
        return "it was asked, and has not moved yet", gone
