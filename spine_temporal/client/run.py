"""A run of an agent, for whoever is outside of it."""

import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from spine_core import Result, State
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.server_errors import unreachable
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecisionReceipt
from spine_temporal.contracts.turn import StopRequest
from spine_temporal.payloads import pack

if TYPE_CHECKING:
    from spine_temporal.client.approvals import Approval
    from spine_temporal.client.run_event import RunEvent
    from spine_temporal.client.run_reader import RunReader
    from spine_temporal.client.status_cursor import StatusCursor
    from spine_temporal.journal.entries import Entry

TOKENS_EVERY_S: Final = 0.1
"""Faster than anybody reads."""
# No longer than until the first look at a run that has not just begun.
_MOMENT_S: Final = 0.1


class Run:
    """One run of an agent. Had from `DurableAgent.start` or, in any process, from `DurableAgent.get_run`.

    Everything it tells is read from the run's history: reading needs no worker and adds nothing to the history.
    `id` is the session id, `workflow_id` what Temporal calls it; `run_id` names one execution of that workflow, None
    means its latest. Of a conversation, it stands for the turn that it was started with (`turn`, None: the one that
    `run_id` began with), whatever number a reset may give it: `update_id` is that of the update which brought it. Had
    from `get_run`, it stands for the turn in hand.
    """

    def __init__(
        self,
        client: Client,
        *,
        id: str,
        workflow_id: str,
        run_id: str | None = None,
        turn: int | None = None,
        update_id: str = "",
    ) -> None:
        self._client = client
        self.id = id
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.turn = turn
        self.update_id = update_id
        self.tokens_every_s = TOKENS_EVERY_S
        """How far apart tokens are emitted."""
        self._begun_s = -math.inf

    def __repr__(self) -> str:
        return f"Run({self.id!r}, workflow_id={self.workflow_id!r})"

    def just_begun(self) -> None:
        """Say that the turn was accepted this very moment: nobody need look whether it is over."""
        self._begun_s = time.monotonic()

    async def result(self) -> Result:
        """The Result at the next stop: the turn ended, or it is paused and waits for a person (`interrupted`).

        It waits until then, through crashes of workers and of the server; at once for a run that has stopped. The
        trace is what the kernel would give: from the turn's beginning, or from the pause's end, to this stop. A run
        that was cancelled or terminated from outside has a Result too, with the conversation as far as it got.

        Raises:
            RunNotFound: there is no such run.
            NotAnAgentRun: the id belongs to another kind of workflow.
            UnknownAgent: the worker that opened the run serves no such agent.
            AgentBroken: the agent could not be built.
            RunFailed: the workflow itself failed, the session was closed before the turn began, or a reset took the
                turn back and it was not accepted again.
            ServerUnreachable: the server was away, or refused to answer, for more than five minutes.
        """
        return await self.next_result(after=0)

    async def in_hand(self) -> "Run":
        """This run, standing for the turn that it is at now, whatever turns may follow.

        Raises:
            RunNotFound: there is no such run.
        """
        turn = (await self._reader().ledger()).progress.turn
        return Run(self._client, id=self.id, workflow_id=self.workflow_id, turn=turn)

    async def next_result(self, *, after: "int | StatusCursor") -> Result:
        """The Result of the first stop later than the one numbered `after`, as a DecisionReceipt numbers them.

        Raises what `result` raises.
        """
        return await self._reader().next_result(after)

    def events(self, *, tokens: bool = False, after: str | None = None) -> "AsyncGenerator[RunEvent]":
        """The kernel's trace events, from the first on, live until the run stops: ended, or paused.

        Each has an `id`, the same for whoever reads it in whatever process; `after` one of them it goes on with exactly
        the rest, be it in the middle of a text. What an id no longer stands for, because a reset took it back, or the
        turn has begun since, leaves nothing out.

        With `tokens`, also what the model writes while it writes it, if its provider streams: the joined deltas of a
        step are its text. When an attempt of the step fails after it has written something, the next token says
        `replaces`, and the text begins anew. The history does not grow by tokens. Of a run that was not started to be
        read along, they begin with the next step.

        Their `ts` is the server's time. A tool's start is emitted with its result if a `before_tool` hook could still
        change the call. Of a team, they are its members'. When the run is reset meanwhile, what was taken back has been
        emitted; what happens in its place follows.

        Raises:
            BadInput: `after` is no id of an event.
        """
        return self._reader().events(tokens_every_s=self.tokens_every_s if tokens else None, after=after)

    def events_after(self, before: "StatusCursor", *, tokens: bool = False) -> "AsyncGenerator[RunEvent]":
        """`events`, of the turn after what `before` knows: what `decide_on` saw, when a decision gets it on."""
        return self._reader().events_after(before, tokens_every_s=self.tokens_every_s if tokens else None)

    async def state(self) -> State:
        """The State as it is now."""
        return (await self._reader().ledger()).state

    async def pending(self) -> "list[Approval]":
        """The calls that wait for a person: all gated ones of the step at once, and what agents below this one ask.

        They may be decided in any order; results enter the conversation in the order of the calls.

        Raises:
            RunNotFound: there is no such run.
        """
        return await self._reader().pending()

    async def decide(self, decision: Any, call_id: str | None = None, *, id: str | None = None) -> DecisionReceipt:
        """Decide on a call that waits: one of spine's words ("approve", "no", ...), a truth value, or a `Decision`.

        For a tool that raised `Interrupt`, `decision` is its result. `call_id` is the model's id of the call, or its
        `Approval.position`, or "run/position" for a call of an agent below this one; None means the first that waits.
        Each call is decided once. Sent again with the same `id`, a decision is the same one, whatever happened
        between. While no worker is there, this waits until one is.

        Raises:
            DecisionRefused: nothing waits, the call was decided before or its time is up, the digest is another one,
                the arguments do not fit the tool. Nothing has happened.
            BadInput: the decision cannot be written as JSON, or no server takes the `id`.
        """
        decided, _ = await self.decide_on(decision, call_id, id=id)
        return decided

    async def decide_on(
        self, decision: Any, call_id: str | None, *, id: str | None = None
    ) -> "tuple[DecisionReceipt, StatusCursor]":
        """`decide`; besides, what was known before anything comes of it."""
        return await self._reader().decide_on(decision, call_id, id)

    async def fork(
        self, *, step: int, input: str | None = None, session_id: str | None = None, tokens: bool = False
    ) -> "Run":
        """A new run that begins with the State as it was after step `step`; this one is left alone.

        With `input` the user says something else there; without it the agent goes on from there. The run it came from
        is recorded. Steps are those of the whole session, 0 is before the first. With `tokens` what the model writes is
        emitted from the first step on.

        Raises:
            BadInput: the step was never taken, or is not over; or there is a session of that id.
            RunNotFound: there is no such run, or its history is gone.
        """
        # Imported by the few who fork: what restores another run's conversation comes with it.
        from spine_temporal.client.fork import ForkPlace, fork

        place = ForkPlace(self.workflow_id, self.id, step)
        every_s = self.tokens_every_s if tokens else None
        forked = await fork(self._client, place, input=input, session_id=session_id, tokens_every_s=every_s)
        return Run(self._client, id=forked.id, workflow_id=forked.workflow_id, run_id=forked.run_id)

    async def stop(self) -> None:
        """Ask the run to end at its next step boundary; its Result then says `StopReason.CANCELLED`.

        A pause is a boundary. Agents that work for it are asked, too. A session that waits for a turn is closed.
        Nothing happens to a run that has ended. A turn that a reset took back is waited for until it is accepted again.

        Raises:
            RunNotFound: there is no such run.
            RunFailed: a reset took the turn back, and it was not accepted again.
        """
        handle, turn = self._handle(), await self._reader().turn_number()
        if turn is None:
            await self._tell(handle.signal(names.STOP_SIGNAL))
        else:
            await self._tell(handle.signal(names.STOP_TURN_SIGNAL, pack(StopRequest(turn=turn))))

    async def cancel(self) -> None:
        """End the run now, through Temporal's cancellation: what is in flight is cancelled, `on_run_end` still runs.

        Raises:
            RunNotFound: there is no such run.
        """
        await self._tell(self._handle().cancel())

    async def entries(self, on_entry: "Callable[[Entry, State], None]") -> None:
        """Call `on_entry` with every entry of the turn's journal and the State after it, as far as the history goes.

        Raises:
            RunNotFound: there is no such run.
        """
        await self._reader().entries(on_entry)

    def _reader(self) -> "RunReader":
        just_begun = time.monotonic() - self._begun_s < _MOMENT_S
        # Imported by the first that reads, not by whoever starts runs: all that folds a history comes with it, twice
        # what a client needs else. Its event loop stands still for that long, some 50 ms, once in a process.
        from spine_temporal.client.run_reader import RunReader

        return RunReader(self._client, self, just_begun=just_begun)

    def _handle(self) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(self.workflow_id)

    async def _tell(self, request: Awaitable[None]) -> None:
        try:
            await request
        except RPCError as error:
            if error.status is RPCStatusCode.UNAVAILABLE:
                raise unreachable(self._client, error) from error
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # The server says NOT_FOUND also of a workflow that is over; then there is nothing to end.
            await self.state()
