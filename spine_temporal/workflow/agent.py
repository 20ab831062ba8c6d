"""The workflow `spine.agent`: a conversation with an agent, or with a team."""

import asyncio

from pydantic import ValidationError
from spine_core import StopReason
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import StopRequest
from spine_temporal.journal.calls import after_child_told
from spine_temporal.journal.progress import trip
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow import updates
from spine_temporal.workflow.continue_as_new import continue_if_due, is_due
from spine_temporal.workflow.open_session import open_conversation, refresh
from spine_temporal.workflow.session import Conversation
from spine_temporal.workflow.status import stand
from spine_temporal.workflow.team import run_team
from spine_temporal.workflow.turn import Turn


@workflow.defn(name=names.AGENT_WORKFLOW)
class AgentWorkflow:
    """One conversation. It holds counters, never the text: that is its history."""

    @workflow.init
    def __init__(self, value: RawValue) -> None:
        self._refused: ApplicationError | None = None
        try:
            request = unpack(RunRequest, value)
        except ValidationError as error:
            # Raised here it would fail the workflow's task, and be retried for ever.
            self._refused = ApplicationError(
                f'a run of an agent is started with {{"agent": "...", "input": "..."}}: {error}',
                type=names.BAD_REQUEST,
                non_retryable=True,
            )
            request = RunRequest(agent="?", input="?")
        self._conversation = Conversation(request)

    @workflow.signal(name=names.STOP_SIGNAL)
    def stop(self) -> None:
        """End the turn in hand at its next step boundary; end a session that waits for a turn."""
        self._conversation.end_turn(None)

    @workflow.signal(name=names.STOP_TURN_SIGNAL)
    def stop_turn(self, value: RawValue) -> None:
        """End that very turn, or let it not begin."""
        try:
            self._conversation.end_turn(unpack(StopRequest, value).turn)
        except ValidationError as error:
            workflow.logger.warning("a signal %s that is none: %s", names.STOP_TURN_SIGNAL, error)

    @workflow.signal(name=names.CHILD_SIGNAL)
    def child_stands(self, value: RawValue) -> None:
        """An agent that works for this one paused, or goes on."""
        try:
            told = unpack(SubagentStatus, value)
        except ValidationError as error:
            workflow.logger.warning("a signal %s that is none: %s", names.CHILD_SIGNAL, error)
            return
        conversation = self._conversation
        conversation.hear(told)
        conversation.progress = after_child_told(conversation.progress, told)
        conversation.changed()

    @workflow.update(name=names.TURN_UPDATE)
    async def turn(self, value: RawValue) -> RawValue:
        """The user says more; answered at once, with the turn's number."""
        return await updates.take_turn(self._conversation, value)

    @turn.validator
    def check_turn(self, value: RawValue) -> None:
        """Refuse what cannot be taken."""
        updates.check_turn(self._conversation, value)

    @workflow.update(name=names.DECIDE_UPDATE)
    async def decide(self, value: RawValue) -> RawValue:
        """A person decides on a call; answered at once."""
        return await updates.take_decision(self._conversation, value)

    @decide.validator
    def check_decision(self, value: RawValue) -> None:
        """Refuse what cannot be taken."""
        updates.check_decision(self._conversation, value)

    @workflow.run
    async def run(self, value: RawValue) -> RawValue:  # noqa: ARG002 - `__init__` has read it
        """Work on turns until the conversation is over; the result is a RunOutcome."""
        if self._refused is not None:
            raise self._refused
        conversation = self._conversation
        await open_conversation(conversation)
        if conversation.spec.team is not None:
            return pack(await run_team(conversation, conversation.spec.team))
        if not conversation.progress.paused:
            conversation.work()
        if conversation.idle_since_s is None or await self._next_turn():
            await self._turns()
        return pack(self._outcome())

    async def _turns(self) -> None:
        conversation = self._conversation
        while True:
            turn, cancelled = Turn(conversation), None
            try:
                ending = await turn.until_over()
            except (asyncio.CancelledError, ActivityError) as error:
                cancelled = error if is_cancelled_exception(error) else None
                ending = trip(StopReason.CANCELLED) if cancelled else _lost(error)
            # What an outcome in the history says need not be said again: it may be long.
            said = conversation.progress.ending is not None and not conversation.progress.paused
            conversation.unsaid = None if said else ending
            await turn.end(ending)
            if cancelled is not None:
                raise cancelled
            if not await self._next_turn():
                return

    async def _next_turn(self) -> bool:
        """Whether there is another turn, which has begun."""
        conversation = self._conversation
        ttl_s = conversation.request.session_ttl_s
        if not conversation.queue and not ttl_s:
            return False
        if conversation.idle_since_s is None:
            conversation.stop, conversation.failed = False, None
            conversation.deadlines.clear()
            stand(conversation, "idle", ending=conversation.unsaid)
            conversation.idle_since_s = workflow.time()
        if not await self._somebody_speaks(conversation.idle_since_s + ttl_s):
            return False
        conversation.idle_since_s = None
        queued = conversation.queue.pop(0)
        conversation.turn_run_id = workflow.info().run_id
        await refresh(conversation)
        stand(conversation, "running", turn=queued.turn)
        conversation.stop = queued.turn in conversation.unwanted
        conversation.work(anew=True)
        return True

    async def _somebody_speaks(self, until_s: float) -> bool:
        conversation = self._conversation
        while not conversation.queue and not conversation.stop:
            continue_if_due(conversation)
            seen = conversation.changes
            try:
                await workflow.wait_condition(
                    lambda seen=seen: conversation.changes != seen or is_due(conversation),  # type: ignore[misc]
                    timeout=max(0.0, until_s - workflow.time()),
                )
            except TimeoutError:
                break
        # What was accepted in the very moment that the time was up is worked on.
        return bool(conversation.queue)

    def _outcome(self) -> RunOutcome:
        conversation = self._conversation
        progress = conversation.progress
        ending = progress.ending or trip(StopReason.CANCELLED)
        return RunOutcome(
            reason=ending.reason,
            answer=progress.answer,
            error=ending.error,
            usage=progress.usage,
            step=progress.step,
            session_id=conversation.session_id,
            turn=progress.turn,
            transfer=progress.transfer,
        )


def _lost(error: BaseException) -> Ending:
    cause = error.__cause__ or error
    return Ending(reason=StopReason.ERROR, error=str(cause))
