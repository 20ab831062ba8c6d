"""The workflow `spine.agent`: one run of an agent."""

import asyncio
from typing import Final

from pydantic import ValidationError
from spine_core import StopReason
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.ending import Ending, EndInput, EndOutcome, RunOutcome
from spine_temporal.contracts.opening import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput, StepVerdict
from spine_temporal.contracts.tool import ToolInput, ToolVerdict
from spine_temporal.journal.decide import Finish, RunTools, TakeStep, decide
from spine_temporal.journal.progress import Progress, after_end, after_step, after_tool, concluded, trip
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow.calls import answer_locally, carry_out

_OPEN_TIMEOUT_S: Final = 60.0


@workflow.defn(name=names.AGENT_WORKFLOW)
class AgentWorkflow:
    """One run. It holds counters, never the conversation: that is its history."""

    def __init__(self) -> None:
        self._stop = False
        self._progress = Progress()

    @workflow.signal(name=names.STOP_SIGNAL)
    def stop(self) -> None:
        """End the run at the next step boundary."""
        self._stop = True

    @workflow.run
    async def run(self, value: RawValue) -> RawValue:
        """Ask the model, run its tools, until somebody says stop; the result is a RunOutcome."""
        request = _read(value)
        self._stop = self._stop or request.stop
        spec = await _opened(request)
        cancelled: BaseException | None = None
        try:
            ending = await self._until_ended(spec, workflow.time())
        except (asyncio.CancelledError, ActivityError) as error:
            cancelled = error if is_cancelled_exception(error) else None
            ending = trip(StopReason.CANCELLED) if cancelled else _lost(error)
        await self._end(spec, ending)
        if cancelled is not None:
            raise cancelled
        return pack(self._outcome(request))

    async def _until_ended(self, spec: AgentSpec, began_s: float) -> Ending:
        while True:
            elapsed_s = workflow.time() - began_s
            match decide(self._progress, spec, elapsed_s=elapsed_s, stop=self._stop):
                case TakeStep(step):
                    await self._step(spec, step, elapsed_s)
                case RunTools((index,)):
                    await self._tool(spec, index)
                case RunTools(indices):
                    await asyncio.gather(*(self._tool(spec, index) for index in indices))
                case Finish(ending):
                    return ending

    async def _step(self, spec: AgentSpec, step: int, elapsed_s: float) -> None:
        task = StepInput(
            agent=spec.agent,
            head=self._progress.head,
            step=step,
            elapsed_s=elapsed_s,
            first="on_run_start" in spec.hooks and not self._progress.begun,
        )
        verdict = await carry_out(names.STEP_ACTIVITY, task, StepVerdict, spec.step_policy, activity_id=str(step))
        self._progress = after_step(self._progress, verdict, parallel=spec.parallel_tools)

    async def _tool(self, spec: AgentSpec, index: int) -> None:
        batch, step = self._progress.batch, self._progress.step
        if batch is None:
            return
        name = batch.calls[index].name
        task = ToolInput(agent=spec.agent, head=self._progress.head, step=step, index=index, name=name)
        verdict = await carry_out(
            names.TOOL_ACTIVITY, task, ToolVerdict, spec.tool_policy, summary=name, activity_id=f"{step}.{index}"
        )
        self._progress, _ = after_tool(self._progress, index, verdict)

    async def _end(self, spec: AgentSpec, ending: Ending) -> None:
        if self._progress.ending is None:
            self._progress = concluded(self._progress, ending)
        first = "on_run_start" in spec.hooks and not self._progress.begun
        if "on_run_end" not in spec.hooks and not first:
            return
        told = self._progress.ending or ending
        task = EndInput(agent=spec.agent, head=self._progress.head, ending=told, first=first)
        outcome = await carry_out(names.END_ACTIVITY, task, EndOutcome, spec.step_policy, activity_id="end")
        self._progress = after_end(self._progress, outcome)

    def _outcome(self, request: RunRequest) -> RunOutcome:
        progress = self._progress
        ending = progress.ending or trip(StopReason.CANCELLED)
        return RunOutcome(
            reason=ending.reason,
            answer=progress.answer,
            error=ending.error,
            usage=progress.usage,
            step=progress.step,
            session_id=request.session_id or workflow.info().workflow_id,
        )


def _read(value: RawValue) -> RunRequest:
    try:
        return unpack(RunRequest, value)
    except ValidationError as error:
        raise ApplicationError(
            f'a run of an agent is started with {{"agent": "...", "input": "..."}}: {error}',
            type=names.BAD_REQUEST,
            non_retryable=True,
        ) from error


async def _opened(request: RunRequest) -> AgentSpec:
    try:
        return await answer_locally(names.OPEN_ACTIVITY, request, AgentSpec, timeout_s=_OPEN_TIMEOUT_S)
    except ActivityError as error:
        refused = error.cause
        if not isinstance(refused, ApplicationError):
            raise
        # The reason, not "activity failed", is what an operator should read first.
        raise ApplicationError(refused.message, type=refused.type, non_retryable=True) from None


def _lost(error: BaseException) -> Ending:
    cause = error.__cause__ or error
    return Ending(reason=StopReason.ERROR, error=str(cause))
