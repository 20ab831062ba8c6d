"""Tool calls that run within the workflow task, as local activities."""

import asyncio
from collections.abc import Sequence
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.limits import MAX_LOCAL_RESULT_BYTES
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.tool_call import ToolInput, ToolSummary
from spine_temporal.journal.entries import ToolDone
from spine_temporal.payloads import unpack
from spine_temporal.workflow.current_details import call_summary
from spine_temporal.workflow.execute import local_result
from spine_temporal.workflow.session import Session

# What a worker sends at the end of a workflow task is one message, of 4 MB at the most.
_TASK_BYTES: Final = 2_000_000
# Beside its result: names, metadata, times.
_EVENT_BYTES: Final = 1_000
# All that one task holds is done again when its worker is lost. An ordinary call ends the task.
_TASK_S: Final = 2.0


class LocalCalls:
    """Which calls of a turn run locally, and their outcomes.

    Such a call is begun and done in one entry, for it leaves one event; nothing else of its turn goes on meanwhile.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ordinary: set[Position] = set()
        """Calls that could not be carried out locally."""
        self._task_bytes = 0
        """What the results of this workflow task take, at the most."""
        self._task_s = 0.0
        """How long the calls of this workflow task took, those side by side as long as the longest."""

    def among(self, indices: Sequence[int]) -> list[int]:
        """Those of the calls that are to run locally now."""
        calls = self._session.progress.calls
        local, room_bytes = list[int](), _TASK_BYTES - self._task_bytes if self._task_s < _TASK_S else 0
        for index in indices if calls is not None else ():
            call = calls.items[index] if calls is not None else None
            if call is None or call.planned.local_s is None or call.begun:
                continue
            room_bytes -= MAX_LOCAL_RESULT_BYTES + _EVENT_BYTES
            if room_bytes >= 0 and Position(calls.step if calls else 0, index) not in self._ordinary:
                local.append(index)
        return local

    def begin_task(self) -> None:
        """An ordinary activity is over, so this is another workflow task than before."""
        self._task_bytes, self._task_s = 0, 0.0

    async def run(self, indices: Sequence[int], *, first: bool) -> None:
        """Run these calls side by side; one that cannot be carried out locally is no longer among those that are."""
        tasks = [asyncio.create_task(self._run(index, first=first and not at)) for at, index in enumerate(indices)]
        try:
            await workflow.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await workflow.wait(tasks)
            raise
        self._task_s += max(task.result() for task in tasks)

    async def _run(self, index: int, *, first: bool) -> float:
        """How long it took, as its outcome says; 0.0: there is none, or it took no time to speak of."""
        session, calls = self._session, self._session.progress.calls
        if calls is None:
            return 0.0
        call, basis, position = calls.items[index], session.basis(), calls.position(index)
        task = ToolInput(
            revision=basis.revision,
            order=basis.order,
            step=calls.step,
            index=index,
            name=call.planned.name,
            first=first,
            policy=call.planned.policy or session.spec.tool_policy,
        )
        self._task_bytes += MAX_LOCAL_RESULT_BYTES + _EVENT_BYTES
        try:
            result = await local_result(
                names.TOOL_ACTIVITY,
                task,
                activity_id=str(position),
                timeout_s=call.planned.local_s or 0.0,
                attempts=1,
                summary=call_summary(call),
            )
        except FailureError as error:
            # As it is raised first; when it is replayed, as the cause of an ActivityError.
            if is_cancelled_exception(error):
                raise
            self._ordinary.add(position)
            workflow.logger.warning(
                "tool %r could not be carried out as a local activity (%s); its call %s goes on as an ordinary one",
                task.name,
                error.__cause__ or error,
                position,
            )
            return 0.0
        self._task_bytes -= MAX_LOCAL_RESULT_BYTES - len(result.payload.data)
        summary = unpack(ToolSummary, result)
        session.record(ToolDone(position.step, index, summary, local=True))
        return summary.took_s
