"""The workflow `spine.agent`: a conversation with an agent, or with a team."""

import asyncio
from collections.abc import Sequence
from typing import Any

from spine_core import StopReason
from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.base import problem_in
from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.errors import PayloadUnreadable
from spine_temporal.journal.counters import stopped_by_guard, with_ending
from spine_temporal.journal.entries import EndReportRequested
from spine_temporal.journal.signals import signaled
from spine_temporal.journal.subagents import subagent_outcome
from spine_temporal.payloads import pack, unpack_given
from spine_temporal.workflow import updates
from spine_temporal.workflow.arguments import any_arguments, only_plain_argument
from spine_temporal.workflow.continue_as_new import continue_if_due, is_due
from spine_temporal.workflow.open_session import open_session, refresh
from spine_temporal.workflow.search_attributes import set_closed
from spine_temporal.workflow.session import Session
from spine_temporal.workflow.status import publish_status, report_pause, tell_parent
from spine_temporal.workflow.turn import Turn, lost


@workflow.defn(name=names.AGENT_WORKFLOW)
class AgentWorkflow:
    """One conversation. It holds counters, never the text: that is its history."""

    @workflow.init
    @any_arguments
    def __init__(self, *values: Any) -> None:
        # Of any kind: what cannot be read fails the run, not the workflow's task.
        self._refused: ApplicationError | PayloadUnreadable | None = None
        try:
            request = _request(values)
        except (ValueError, PayloadUnreadable) as error:
            # What only another worker can decode fails the task, so that the other one gets it.
            self._refused = error if isinstance(error, PayloadUnreadable) else _refusal(str(error))
            request = RunRequest(agent="?", input="?")
        self._session = Session(request)

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, values: Sequence[RawValue]) -> None:
        """Take a signal; one that nobody knows, or that cannot be read, is logged: its sender waits for no answer."""
        session = self._session
        if name == names.CONTINUE_SIGNAL:
            session.request_continuation()
            return
        try:
            made = signaled(name, lambda type_: unpack_given(type_, values))
        except ValueError as error:
            workflow.logger.warning("ignored malformed signal %r: %s", name, problem_in(error))
            return
        if made is None:
            workflow.logger.warning("ignored unknown signal %r", name)
            return
        entry = made(session.next_signal_id())
        session.record(entry)
        if isinstance(entry, EndReportRequested):
            report_pause(session)

    # A run may end before it can answer, when it cannot be opened: whoever asks then asks the run that follows.
    @workflow.update(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def on_update(self, name: str, values: Sequence[RawValue]) -> RawValue:
        """The user says more, or a person decides on a call; answered at once."""
        accept = updates.accept_turn if name == names.TURN_UPDATE else updates.accept_decision
        return await accept(self._session, values)

    @on_update.validator
    def validate_update(self, name: str, values: Sequence[RawValue]) -> None:
        """Refuse what cannot be accepted; nothing enters the history."""
        updates.validate(self._session, name, values)

    @workflow.run
    @any_arguments
    async def run(self, *_: Any) -> RawValue:
        """Work on turns until the conversation is over; the result is a RunOutcome."""
        if self._refused is not None:
            raise self._refused
        session = self._session
        try:
            await open_session(session)
        except (asyncio.CancelledError, ApplicationError) as error:
            set_closed(session, StopReason.ERROR, canceled=is_cancelled_exception(error))
            raise
        ending: Ending | None = None
        try:
            if session.progress.status != "idle" or await self._next_turn():
                ending = await self._turns()
        except (asyncio.CancelledError, ActivityError) as error:
            cancelled = is_cancelled_exception(error)
            ending = stopped_by_guard(StopReason.CANCELLED) if cancelled else lost(error)
            if cancelled:
                await self._report_end(ending, cancelled=True)
            set_closed(session, self._outcome(ending).reason, canceled=cancelled)
            raise
        await self._report_end(ending)
        outcome = self._outcome(ending)
        set_closed(session, outcome.reason)
        return pack(outcome)

    async def _turns(self) -> Ending | None:
        """Work until there is no further turn; how the last one ended, unless that is recorded."""
        session = self._session
        while True:
            turn, cancelled = Turn(session), None
            try:
                ending = await turn.until_over()
            except (asyncio.CancelledError, ActivityError) as error:
                cancelled = error if is_cancelled_exception(error) else None
                ending = stopped_by_guard(StopReason.CANCELLED) if cancelled else lost(error)
            # What an outcome in the history says need not be repeated: it may be long.
            recorded = session.progress.over
            await turn.end(ending, cancelled=cancelled is not None)
            if cancelled is not None:
                raise cancelled
            if not self._stays_open():
                return ending
            publish_status(session, "idle", ending=None if recorded else ending)
            if not await self._next_turn():
                return None

    def _stays_open(self) -> bool:
        session = self._session
        return session.spec.team is None and bool(session.progress.queue or session.request.session_ttl_s)

    async def _next_turn(self) -> bool:
        """Whether there is another turn, which has begun."""
        session = self._session
        if not await self._has_turn():
            return False
        session.turn_run_id = workflow.info().run_id
        await refresh(session)
        publish_status(session, "running", turn=session.progress.queue[0].turn)
        return True

    async def _has_turn(self) -> bool:
        session = self._session
        idle_since_s = session.progress.idle_since_s
        until_s = (workflow.time() if idle_since_s is None else idle_since_s) + session.request.session_ttl_s
        while not session.progress.queue and not session.progress.stop_requested:
            continue_if_due(session)
            before = session.changes
            try:
                await workflow.wait_condition(
                    lambda before=before: session.changes != before or is_due(session),  # type: ignore[misc]
                    timeout=max(0.0, until_s - workflow.time()),
                    timeout_summary="the session closes unless somebody says something",
                )
            except TimeoutError:
                break
        # What was accepted in the very moment that the time was up is worked on.
        return bool(session.progress.queue)

    async def _report_end(self, ending: Ending | None, *, cancelled: bool = False) -> None:
        parent, progress = self._session.request.parent, self._session.progress
        if parent is None or not (progress.report_end or (cancelled and parent.report_cancel)):
            return
        status = SubagentStatus(
            position=parent.position,
            status=progress.status,
            number=progress.status_number + 1,
            outcome=subagent_outcome(self._outcome(ending)),
        )
        await tell_parent(parent.workflow_id, status)

    def _outcome(self, ending: Ending | None) -> RunOutcome:
        session, progress = self._session, self._session.progress
        if not progress.over:
            progress = with_ending(progress, ending or stopped_by_guard(StopReason.CANCELLED))
        # A member whose workflow failed has no Result to give.
        member = progress.calls if session.spec.team is not None and session.progress.over else None
        return RunOutcome(
            reason=progress.ending.reason if progress.ending is not None else StopReason.CANCELLED,
            answer=progress.answer,
            error=progress.ending.error if progress.ending is not None else None,
            usage=progress.usage,
            unpriced_tokens=progress.unpriced_tokens,
            step=progress.step,
            session_id=session.session_id,
            turn=progress.turn,
            transfer=progress.transfer,
            result_of=session.child_id(member.position(0)) if member is not None else None,
        )


@workflow.defn(name=names.AGENT_WORKFLOW, versioning_behavior=VersioningBehavior.PINNED)
class VersionedAgent(AgentWorkflow):
    """The same on a versioned worker: an execution ends on its version, and the next begins on the current one.

    A server takes a versioning behavior from no other worker.
    """

    @workflow.run
    @any_arguments
    async def run(self, *values: Any) -> RawValue:
        """As on any worker."""
        return await super().run(*values)


def _request(values: Sequence[Any]) -> RunRequest:
    request = only_plain_argument(RunRequest, values)
    # What a workflow of ours has written may be a later version's; what people and programs write is read strictly.
    ours = request.carried is not None or request.parent is not None
    return request if ours else only_plain_argument(RunRequest, values, strict=True)


def _refusal(why: str) -> ApplicationError:
    return ApplicationError(
        f'a run of an agent is started with one argument, {{"agent": "...", "input": "..."}}: {why}',
        type=names.BAD_REQUEST,
        non_retryable=True,
    )
