"""What a workflow holds: its progress, and what only this execution needs."""

import asyncio
import functools
import math
from collections.abc import Coroutine
from typing import Any, Final

from temporalio import workflow

from spine_temporal.contracts.base import Basis
from spine_temporal.contracts.continuation import CarryOver, RestorePoint
from spine_temporal.contracts.run_id import Position, child_workflow_id
from spine_temporal.contracts.run_request import AgentSpec, Budget, RunRequest
from spine_temporal.contracts.trace_context import Segment
from spine_temporal.journal.entries import ConversationRestored, Entry, Fact, Requested, SpecRefreshed, basis_of
from spine_temporal.journal.progress import Progress, apply
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.snapshot import dump_carried
from spine_temporal.workflow.metrics import count_entry

# An execution that did no more than these has not got the run on.
_BEGINNINGS: Final = (ConversationRestored, SpecRefreshed)


class Session:
    """One conversation, as far as this execution must know it to decide what comes next.

    `record` is the only place where progress is written, and nobody keeps a copy of it across an `await`.
    """

    def __init__(self, request: RunRequest) -> None:
        info = workflow.info()
        self.request = request
        self.session_id = request.session_id or info.workflow_id
        self.progress: Progress = apply(Progress(), Requested(request, self.session_id))
        self.ready = False
        """The conversation is there; until then nothing can be asked of it."""
        self.turn_run_id = request.carried.turn_run_id if request.carried is not None else info.run_id
        self.changes = 0
        """Counts the entries, and whatever else may make another move possible."""
        self.advanced = False
        """This execution got the run on: another one may continue it."""
        self.continue_requested = False
        """Somebody asked that another execution continue this one, as `spine-temporal drain` does."""
        self.updates = 0
        self.accepted: list[Fact] = []
        """What updates bring that are accepted, and recorded as soon as it is their turn."""
        self.sending: set[asyncio.Task[None]] = set()
        """Signals on their way out: this execution does not end before they are sent."""
        self.restored_bytes = 0
        self.restored_at_bytes = 0
        self._signals = 0
        self._specs = 0
        self._order: list[str] = []

    @property
    def spec(self) -> AgentSpec:
        """What the agent is."""
        if self.progress.spec is None:
            raise RuntimeError("the run has not been opened")
        return self.progress.spec

    @property
    def expected(self) -> Progress:
        """The progress with all that is accepted: by that, whoever comes next is judged."""
        return functools.reduce(apply, self.accepted, self.progress)

    def record(self, entry: Fact | Entry) -> None:
        """Apply an entry: a fact that the history holds, or holds as soon as this workflow task is over."""
        before, self.progress = self.progress, apply(self.progress, entry)
        count_entry(self.request.agent, before, self.progress, entry)
        if basis_of(entry) is not None:
            # A reader meets it right behind what it names.
            self._order = []
        elif (id_ := getattr(entry, "id", None)) is not None:
            self._order.append(id_)
        if not self.advanced and not isinstance(entry, _BEGINNINGS):
            # What is reported once more, as each execution of a subagent's parent asks for, gets nothing on.
            self.advanced = replace(self.progress, revision=before.revision) != before
        self.wake()

    def basis(self) -> Basis:
        """What the next record of this workflow names."""
        order = tuple(self._order) if len(self._order) > 1 else ()
        return Basis(revision=self.progress.revision, order=order)

    def request_continuation(self) -> None:
        """Have another execution continue this one at the next boundary, however short its history is."""
        self.continue_requested = True
        self.wake()

    def wake(self) -> None:
        """Something happened that may make another move possible."""
        self.changes += 1

    def send(self, signal: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Send a signal beside everything else."""
        task = asyncio.create_task(signal)
        self.sending.add(task)
        task.add_done_callback(self._sent)
        return task

    def _sent(self, task: "asyncio.Task[None]") -> None:
        self.sending.discard(task)
        self.wake()

    def next_signal_id(self) -> str:
        """The id of the entry that a signal brings: signals are counted, for they have none of their own."""
        self._signals += 1
        return f"signal {self._signals}"

    def next_spec_id(self) -> str:
        """The id of the local activity that answers what the agent is, and of the entry it brings."""
        self._specs += 1
        return f"spec {self._specs}"

    def elapsed_s(self) -> float:
        """Seconds that the turn has worked; what it waited for people does not count."""
        return self.progress.elapsed_s(workflow.time())

    def child_id(self, position: Position) -> str:
        """The workflow id of the subagent that works on the call at `position`; the same in every execution."""
        info = workflow.info()
        return child_workflow_id(info.workflow_id, position, info.first_execution_run_id)

    @property
    def segment(self) -> Segment:
        """The stretch of work in hand, for those who trace it."""
        info, progress = workflow.info(), self.progress
        chain = info.first_execution_run_id
        return Segment(info.workflow_id, chain, progress.turn, progress.status_number, progress.trace)

    def budget(self) -> Budget | None:
        """What is left for an agent below this one; None: nobody sets a limit."""
        guards, usage, above = self.spec.guards, self.progress.usage, self.request.budget
        costs = [guards.max_cost_usd, above.cost_usd if above else None]
        tokens = [guards.max_tokens, above.tokens if above else None]
        cost_usd = min((limit for limit in costs if limit is not None), default=None)
        max_tokens = min((limit for limit in tokens if limit is not None), default=None)
        if cost_usd is None and max_tokens is None:
            return None
        # As in the kernel, no limit is reached by a cost that is no number.
        spent_usd = 0.0 if math.isnan(usage.cost_usd) else usage.cost_usd
        return Budget(
            cost_usd=None if cost_usd is None else max(0.0, cost_usd - spent_usd),
            tokens=None if max_tokens is None else max(0, max_tokens - usage.total_tokens),
        )

    def carry_over(self) -> RunRequest:
        """What the next execution begins with."""
        info, basis = workflow.info(), self.basis()
        carried = CarryOver(
            revision=basis.revision,
            order=basis.order,
            run_id=info.run_id,
            turn_run_id=self.turn_run_id,
            progress=dump_carried(self.progress),
        )
        changes = {
            "input": None,
            "session_id": self.session_id,
            "stop": False,
            "origin": RestorePoint(workflow_id=info.workflow_id, run_id=info.run_id),
            "carried": carried,
        }
        return self.request.model_copy(update=changes)
