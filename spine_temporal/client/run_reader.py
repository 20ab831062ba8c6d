"""What a Run reads from its history, and decides by it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from spine_core import Result, State, StopReason
from temporalio.client import Client

from spine_temporal.client.approvals import Approval
from spine_temporal.client.decide import decide, of_same_call, request_of
from spine_temporal.client.follow_run import RunFollower
from spine_temporal.client.pending import Unlisted, chosen, in_order, pending_at, pending_below, pending_in
from spine_temporal.client.run import Run
from spine_temporal.client.run_event import RunEvent, run_event
from spine_temporal.client.status_cursor import StatusCursor
from spine_temporal.client.tracing import deciding
from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.errors import DecisionRefused, RunNotFound
from spine_temporal.given import check_name
from spine_temporal.history.event_id import EventId
from spine_temporal.history.folded import fold_execution
from spine_temporal.journal.counters import receipt_in
from spine_temporal.journal.entries import Entry, SubagentStarted
from spine_temporal.journal.ledger import Ledger, subagents_of
from spine_temporal.journal.result import result_of


class RunReader:
    """Reads the history of `run`, as it is named at this moment; its methods are those of a Run, and promise the same.

    `just_begun`: the execution took the turn a moment ago.
    """

    def __init__(self, client: Client, run: Run, *, just_begun: bool = False) -> None:
        self._client = client
        self._id = run.id
        self._workflow_id = run.workflow_id
        self._follower = RunFollower(client, run.workflow_id, run.run_id, run.turn, run.update_id, just_begun)

    async def ledger(self) -> Ledger:
        """All that the run has come to by now."""
        # The latest execution knows all that the ones before it did.
        return await fold_execution(self._client, (self._workflow_id, ""))

    async def turn_number(self) -> int | None:
        """The number that the turn has by now; None: whichever is in hand."""
        return await self._follower.number()

    async def next_result(self, after: int | StatusCursor) -> Result:
        """The Result of the first stop later than `after`; of a team, its members'."""
        stop = await self._follower.stop(after=after if isinstance(after, StatusCursor) else StatusCursor(after))
        ledger = stop.ledger
        if ledger.progress.spec is None or ledger.progress.spec.team is None:
            old = await self._gone_on(ledger)
            return result_of(ledger, stop.trace) if old is None else await self.next_result(old)
        member, over = ledger.result_of or _member_at_hand(ledger), ledger.progress.over
        if member is None:
            return result_of(ledger, stop.trace)
        result = await self._other(member).result()
        if over and ledger.result_of is None:
            return result.model_copy(update={"stopped_reason": StopReason.CANCELLED})
        if not over and not result.interrupted:
            # The member has gone on already; so will the team.
            return await self.next_result(StatusCursor(ledger.progress.status_number))
        return result.model_copy(update={"resume_token": self._id}) if result.interrupted else result

    async def _gone_on(self, ledger: Ledger) -> StatusCursor | None:
        """The pause there, if the agent below at which the run is paused was answered already: it will go on, too."""
        is_team = ledger.progress.spec is not None and ledger.progress.spec.team is not None
        calls = ledger.progress.calls if ledger.progress.paused and not is_team else None
        at = calls.waiting_at() if calls is not None else None
        subagent = calls.items[at].subagent if calls is not None and at is not None else None
        if calls is None or at is None or subagent is None or await pending_below(self._client, subagent.workflow_id):
            return None
        return StatusCursor(ledger.progress.status_number, str(calls.position(at)), subagent.number)

    async def events(self, *, tokens_every_s: float | None, after: str | None) -> AsyncGenerator[RunEvent]:
        """The turn's events behind the one of the id `after`, until it stops."""
        last = EventId.parse(after) if after is not None else None
        past: StatusCursor | None = None
        while True:
            following = self._follower.events(tokens_every_s=tokens_every_s, after=last, past=past)
            async with aclosing(following) as events:
                async for id_, event in events:
                    last = id_
                    yield run_event(id_, event)
            stop = self._follower.stopped_at
            past = await self._gone_on(stop.ledger) if stop is not None else None
            if past is None:
                return

    async def events_after(self, before: StatusCursor, *, tokens_every_s: float | None) -> AsyncGenerator[RunEvent]:
        """The turn's events after what `before` knows, until it stops again."""
        async with aclosing(self._follower.events_after(before, tokens_every_s=tokens_every_s)) as events:
            async for id_, event in events:
                yield run_event(id_, event)

    async def entries(self, on_entry: Callable[[Entry, State], None]) -> None:
        """Call `on_entry` with every entry of the turn, and the State after it."""
        await self._follower.entries(on_entry)

    async def pending(self) -> list[Approval]:
        """The calls that wait for a person, those of the agents below it included."""
        return await pending_in(self._client, self._workflow_id, await self.ledger())

    async def decide_on(
        self, decision: Any, call_id: str | None, id_: str | None
    ) -> tuple[DecisionReceipt, StatusCursor]:
        """Decide on a call, with what was known before anything comes of it."""
        if id_ is not None:
            check_name("the id of a decision", id_, empty=True)
        request = await request_of(decision, call_id, self._client)
        ledger = await self.ledger()
        at = await pending_at(self._client, self._workflow_id, ledger)
        pending = in_order(at)
        try:
            approval = chosen(pending, call_id, self._id) if pending else None
        except Unlisted:
            approval = None
        if approval is not None:
            if id_ is None or approval.workflow_id != self._workflow_id or "/" in (call_id or ""):
                # One that is sent again keeps the name it was given: by now that may be another call's.
                request = request.model_copy(update={"call": approval.position})
            with deciding(self._workflow_id, ledger, approval) as trace:
                if trace:
                    request = request.model_copy(update={"trace": trace})
                decided = await decide(self._client, approval.workflow_id, request, id_)
            position = next(position for position, some in at.items() if approval in some)
            return decided, self._cursor(ledger, approval, position, decided)
        if id_ is not None and (receipt := await self._answered(request, id_)) is not None:
            return receipt, StatusCursor()
        # Nothing like that waits. The workflow it is sent to says why.
        children = [each.workflow_id for each in subagents_of(ledger) if each.workflow_id]
        return await self._ask(request, [self._workflow_id, *children], id_), StatusCursor()

    def _cursor(self, ledger: Ledger, approval: Approval, position: str, receipt: DecisionReceipt) -> StatusCursor:
        if approval.workflow_id == self._workflow_id:
            return StatusCursor(receipt.status_number)
        subagent = next(each for each in subagents_of(ledger) if each.position == position)
        return StatusCursor(ledger.progress.status_number, position, subagent.number)

    async def _answered(self, request: DecideRequest, id_: str) -> DecisionReceipt | None:
        """What the decision of that id was answered, by this run or by an agent that has worked for its turn."""
        workflow_ids = [self._workflow_id]

        def note(entry: Entry, _: State) -> None:
            if isinstance(entry, SubagentStarted) and entry.workflow_id not in workflow_ids:
                workflow_ids.append(entry.workflow_id)

        # They become more meanwhile.
        for workflow_id in workflow_ids:
            reader = self if workflow_id == self._workflow_id else RunReader(self._client, self._other(workflow_id))
            with suppress(RunNotFound):
                receipt = receipt_in((await reader.ledger()).progress, id_, DecisionReceipt)
                if receipt is not None:
                    return of_same_call(receipt, request, workflow_id)
                await reader.entries(note)
        return None

    async def _ask(self, request: DecideRequest, workflow_ids: list[str], id_: str | None) -> DecisionReceipt:
        refused: DecisionRefused | None = None
        for workflow_id in workflow_ids:
            own = self._as_named_in(workflow_id, request)
            try:
                return await decide(self._client, workflow_id, own, id_)
            except DecisionRefused as error:
                # The one whose call is named knows best why.
                refused = error if refused is None or own.call != request.call else refused
        raise refused or DecisionRefused(f"session {self._id!r}: nothing waits for a decision")

    def _as_named_in(self, workflow_id: str, request: DecideRequest) -> DecideRequest:
        """The request with its call named as that run names it: without "run/", if that is this run."""
        call, run = request.call, self._other(workflow_id).id
        return request if call is None else request.model_copy(update={"call": call.removeprefix(f"{run}/")})

    def _other(self, workflow_id: str) -> Run:
        prefix = self._workflow_id.removesuffix(self._id)
        return Run(self._client, id=workflow_id.removeprefix(prefix), workflow_id=workflow_id)


def _member_at_hand(ledger: Ledger) -> str | None:
    """The workflow of the member that waits for a person; of a team that was cancelled, of the last that had begun."""
    members, ending = subagents_of(ledger), ledger.progress.ending
    if not ledger.progress.over:
        return next((each.workflow_id for each in members if each.status == "paused"), None)
    begun = [each.workflow_id for each in members if each.workflow_id]
    return begun[-1] if begun and ending is not None and ending.reason is StopReason.CANCELLED else None
