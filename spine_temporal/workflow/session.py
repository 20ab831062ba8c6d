"""What the workflow holds of a conversation: counters, queues; never its text."""

from typing import Final

from spine_core import StopReason
from temporalio import workflow

from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.continuation import CarryOver, RestorePoint
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.run_request import AgentSpec, Budget, RunRequest
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import QueuedTurn
from spine_temporal.journal.progress import Progress

_NO_APPROVAL_POLICY: Final = ApprovalPolicy()
# As many ids of updates as fit into some ten kilobytes: a client that sends one again does so within seconds.
_REMEMBERED: Final = 300


class Conversation:
    """One conversation, as far as this execution must know it to decide what comes next."""

    def __init__(self, request: RunRequest) -> None:
        info, carried = workflow.info(), request.carried
        self.request = request
        self.session_id = request.session_id or info.workflow_id
        self.progress = Progress(depth=request.depth)
        self.opened = False
        self.stop = request.stop
        self.failed: Ending | None = None
        """Why the turn cannot go on, when neither a step nor a hook says so."""
        self.unsaid: Ending | None = None
        """How the turn ended, when no outcome says it."""
        self.in_flight: set[int] = set()
        """Calls of the step that are at work."""
        self.changes = 0
        """Counts whatever may make another move possible."""
        self.got_on = False
        """This execution got the run on: another one may continue it."""
        self.standings_due = 0
        """One, while the hooks of a pause run: its standing is still to come."""
        self.turns = carried.turns if carried else 1
        self.queue: list[QueuedTurn] = list(carried.queue) if carried else []
        self.answered = dict(carried.answered) if carried else {}
        self.deadlines = dict(carried.deadlines) if carried else {}
        self.turn_run_id = carried.turn_run_id if carried else info.run_id
        self.idle_since_s = carried.idle_since_s if carried else None
        self.heard: dict[str, SubagentStatus] = {told.position: told for told in carried.heard} if carried else {}
        """The last word of each agent that works for this one, by position."""
        self.children: set[str] = set(carried.children if carried else ())
        """Positions of the children that have begun and are not over."""
        self.unwanted: set[int] = set(carried.unwanted if carried else ())
        """Turns that are over as soon as they begin: somebody stopped them in the queue."""
        self.updates = 0
        self.restored_bytes = 0
        self.restored_at_bytes = 0
        self._spec = request.spec
        self._worked_s = carried.worked_s if carried else 0.0
        self._working_since_s: float | None = None

    @property
    def spec(self) -> AgentSpec:
        """What the agent is."""
        if self._spec is None:
            raise RuntimeError("the run has not been opened")
        return self._spec

    @spec.setter
    def spec(self, spec: AgentSpec) -> None:
        self._spec = spec

    def elapsed_s(self) -> float:
        """Seconds that the turn has worked; what it waited for people does not count."""
        going = 0.0 if self._working_since_s is None else workflow.time() - self._working_since_s
        return self._worked_s + going

    def work(self, *, anew: bool = False) -> None:
        """The clock of the turn runs from now on."""
        self._worked_s = 0.0 if anew else self._worked_s
        self._working_since_s = workflow.time()

    def rest(self) -> None:
        """The clock of the turn stands."""
        self._worked_s, self._working_since_s = self.elapsed_s(), None

    def changed(self, *, got_on: bool = True) -> None:
        """Something happened that may make another move possible."""
        self.changes += 1
        self.got_on = self.got_on or got_on

    def end_turn(self, turn: int | None) -> None:
        """End that turn at its next boundary, the one in hand if it is None; a session that waits for one is closed."""
        if turn is None or (self.opened and turn == self.progress.turn):
            self.stop = True
        elif not self.opened or any(queued.turn == turn for queued in self.queue):
            self.unwanted.add(turn)
        self.changed()

    def child_is_at_work(self, position: str) -> None:
        """A child has begun; until then its call is in flight."""
        self.children.add(position)
        self.in_flight.discard(int(position.rpartition(".")[2]))

    def hear(self, told: SubagentStatus) -> None:
        """A child paused, or goes on."""
        before = self.heard.get(told.position)
        if before is None or before.number < told.number:
            self.heard[told.position] = told

    def asked(self, at: int) -> object:
        """What is asked of a person at that call, by itself or by the agent that works on it."""
        batch = self.progress.batch
        ask = batch.asks.get(at) if batch else None
        if ask is not None and ask.asks is not None:
            return ask.asks.payload
        told = self.heard.get(f"{self.progress.step}.{at}")
        return told.interrupt if told else None

    def remember(self, update_id: str, result: dict[str, object]) -> None:
        """Keep an update's result: the server knows its id again within one execution only."""
        self.answered[update_id] = result
        for oldest in list(self.answered)[:-_REMEMBERED]:
            del self.answered[oldest]

    def approval_of(self, index: int) -> ApprovalPolicy:
        """What becomes of a call that nobody decides."""
        batch = self.progress.batch
        own = batch.calls[index].approval if batch else None
        return own or self.request.approval or _NO_APPROVAL_POLICY

    def budget(self) -> Budget | None:
        """What is left for an agent below this one; None: nobody sets a limit."""
        guards, usage, above = self.spec.guards, self.progress.usage, self.request.budget
        costs = [guards.max_cost_usd, above.cost_usd if above else None]
        tokens = [guards.max_tokens, above.tokens if above else None]
        cost_usd = min((limit for limit in costs if limit is not None), default=None)
        most_tokens = min((limit for limit in tokens if limit is not None), default=None)
        if cost_usd is None and most_tokens is None:
            return None
        return Budget(
            cost_usd=None if cost_usd is None else max(0.0, cost_usd - usage.cost_usd),
            tokens=None if most_tokens is None else max(0, most_tokens - usage.total_tokens),
        )

    def carry(self) -> RunRequest:
        """What the next execution begins with."""
        info = workflow.info()
        self.rest()
        carried = CarryOver(
            run_id=info.run_id,
            turn_run_id=self.turn_run_id,
            turns=self.turns,
            queue=self.queue,
            unwanted=[queued.turn for queued in self.queue if queued.turn in self.unwanted],
            answered=self.answered,
            worked_s=self._worked_s,
            children=sorted(self.children),
            heard=[self.heard[position] for position in sorted(self.children & self.heard.keys())],
            deadlines=self.deadlines,
            idle_since_s=self.idle_since_s,
        )
        changes = {
            "input": None,
            "session_id": self.session_id,
            "stop": self.stop,
            "origin": RestorePoint(workflow_id=info.workflow_id, run_id=info.run_id),
            # The system prompt stands in the conversation.
            "spec": self.spec.model_copy(update={"system": None}),
            "carried": carried,
        }
        return self.request.model_copy(update=changes)

    def over(self) -> Ending:
        """How the turn ended."""
        return self.progress.ending or Ending(reason=StopReason.CANCELLED)
