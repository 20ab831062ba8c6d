"""A storm over one session: blows fall, then everything heals."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal import AgentWorker, Decision, DurableAgent
from spine_temporal.client.approvals import Approval
from spine_temporal.client.status_watch import published_status
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecisionReceipt
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.errors import DecisionRefused, RunFailed, RunNotFound, SessionBusy
from tests.storm.followers import Said, first_events, last_result
from tests.storm.plans import Blow, Storm, WorkerPlan
from tests.storm.world import World
from tests.support.resets import reset, reset_points
from tests.support.waiting import until

_AWHILE_S: Final = 0.2
_FORGED: Final[tuple[Any, ...]] = (
    None,
    "garbage",
    [],
    {"position": "1.0"},
    {"position": "1.0", "status": "paused", "number": 0},
    {"position": "1.1", "status": "idle", "number": -(10**30)},
    {"position": "99.0", "status": "idle", "number": 10**30, "outcome": {"answer": "forged", "reason": "final"}},
    {"position": "one.two", "status": "running", "number": 1, "outcome": {}},
    {"position": "1.0", "status": "over", "number": 1},
)


@dataclass
class Decided:
    """A decision that was accepted."""

    id: str
    call: str
    receipt: DecisionReceipt
    answer: Any


@dataclass
class Storming:
    """One session, its worker, and all that was acknowledged."""

    client: Client
    storm: Storm
    world: World = field(default_factory=World)
    said: list[Said] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    stopped: int = 0
    cancelled: int = 0
    resets: int = 0
    reset_s: float = 0.0
    """When the last reset was done."""
    swaps: int = 0
    differ: bool = False
    """Two workers whose agents differ were at work at the same time."""
    guarded: bool = False
    """A guard may have ended a turn."""
    log: list[str] = field(default_factory=list)
    _workers: list[AgentWorker] = field(default_factory=list)
    _beside: "list[asyncio.Task[None]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.local = self.storm.local
        self.queue = f"storm-{uuid.uuid4().hex}"
        self.session = f"storm-{uuid.uuid4().hex}"
        self.agent = DurableAgent("agent", self.client, task_queue=self.queue)
        self.run = self.agent.get_run(self.session)

    async def rage(self) -> None:
        """Let every blow fall, then heal, until every turn that was accepted is over."""
        await self._work(self.storm.workers)
        try:
            for blow in self.storm.blows:
                self.log.append(f"{blow.kind} {blow.text or blow.place}")
                if blow.beside and blow.kind not in ("hold", "release", "swap"):
                    self._beside.append(asyncio.create_task(self._fall(blow)))
                else:
                    await self._fall(blow)
                await self._awhile(blow.waits)
            await self._heal()
        finally:
            self.world.release()
            for task in [*self._beside, *(task for said in self.said for task in (said.waiting, said.followed))]:
                task.cancel()
            await self._rest()

    async def _heal(self) -> None:
        self.world.release()
        await asyncio.wait_for(asyncio.gather(*self._beside), 120)

        async def over() -> bool:
            open_ = [said for said in self.said if not said.waiting.done()]
            # One that is asked beside other work shows when that work is done.
            for approval in await self._pending() if await self._paused() else ():
                with contextlib.suppress(DecisionRefused):
                    await self._decide_on(approval, Decision(approve=True), id_=None)
            # A reset takes back what had ended.
            return not open_ and await self._rests()

        await until(over, f"the end of every turn of {self.session}")

    async def _work(self, plans: tuple[WorkerPlan, ...]) -> None:
        for plan in plans:
            agents = self.world.agents(plan.look)
            policy = ContinuePolicy(events=plan.events) if plan.events is not None else None
            options: dict[str, Any] = {"continue_policy": policy, **plan.caches}
            # Of one client, a queue has one worker.
            client = await Client.connect(self.client.service_client.config.target_host)
            worker = AgentWorker(client, agents=agents, task_queue=self.queue, **options)
            await worker.__aenter__()
            self._workers.append(worker)
        self.differ = self.differ or len(plans) > 1
        self.guarded = self.guarded or any(plan.look.guarded for plan in plans)

    async def _rest(self) -> None:
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.__aexit__(None, None, None) for worker in workers))

    async def _awhile(self, ticks: int) -> None:
        """Until so many things have happened, or for a moment: when a blow falls makes no difference to the outcome."""
        if not ticks:
            return
        wanted = self.world.ticks + ticks
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AWHILE_S):
                await until(lambda: self.world.ticks >= wanted, "something")

    async def _fall(self, blow: Blow) -> None:
        random = Random(blow.number)
        fall: Coroutine[Any, Any, None]
        match blow.kind:
            case "turn":
                fall = self._say(blow, random)
            case "stop_turn":
                fall = self._stop_turn(random)
            case "stop":
                fall = self._stop()
            case "decide":
                fall = self._decide(random)
            case "hold":
                self.world.hold(blow.place)
                return
            case "release":
                self.world.release(blow.place)
                return
            case "cancel":
                self.cancelled += 1
                fall = self._cancel()
            case "forge":
                fall = self._forge(random)
            case "swap":
                self.swaps += 1
                await self._rest()
                await self._work(blow.workers)
                return
            case _:
                fall = self._reset(random)
        await fall

    async def _say(self, blow: Blow, random: Random) -> None:
        on_busy: OnBusy = "queue" if random.random() < 0.9 else "reject"
        try:
            run = await self.agent.start(blow.text, session_id=self.session, on_busy=on_busy)
        except SessionBusy:
            return
        waiting, followed = asyncio.create_task(last_result(run)), asyncio.create_task(first_events(run))
        said = Said(blow.text, run, on_busy, waiting, followed)
        waiting.add_done_callback(said.note_told)
        self.said.append(said)

    async def _stop_turn(self, random: Random) -> None:
        if self.said:
            self.stopped += 1
            try:
                await random.choice(self.said).run.stop()
            except RunFailed:
                # It is no turn any more.
                assert self.resets

    async def _stop(self) -> None:
        self.stopped += 1
        with contextlib.suppress(RunNotFound):
            await self.run.stop()

    async def _cancel(self) -> None:
        # Of a session that is yet to begin there is nothing to cancel.
        with contextlib.suppress(RunNotFound):
            await self.run.cancel()

    async def _pending(self) -> list[Approval]:
        try:
            return await self.run.pending()
        except RunNotFound:
            return []

    async def _rests(self) -> bool:
        _, status = await published_status(self.client, self.run.workflow_id)
        return status is None or status.status == "idle"

    async def _paused(self) -> bool:
        _, status = await published_status(self.client, self.run.workflow_id)
        return status is not None and status.status == "paused"

    async def _decide(self, random: Random) -> None:
        pending = await self._pending()
        if random.random() < 0.15:
            try:
                await self.run.decide(True, random.choice(["c-nothing", "77.0", "", "c-T0-0-0/1.0"]))
            except (DecisionRefused, RunNotFound):
                return
            raise AssertionError("a decision on no call was accepted")
        if self.decided and random.random() < 0.2:
            await self._decide_again(random.choice(self.decided))
            return
        if not pending:
            return
        answer = random.choice([True, True, "approve", False, Decision(approve=True), Decision(approve=False)])
        with contextlib.suppress(DecisionRefused):
            await self._decide_on(random.choice(pending), answer, id_=uuid.uuid4().hex, by_id=random.random() < 0.5)

    async def _decide_on(self, approval: Approval, answer: Any, *, id_: str | None, by_id: bool = False) -> None:
        direct = approval.workflow_id == self.run.workflow_id
        named = approval.call_id if by_id and direct else approval.position
        if not direct:
            named = f"{approval.workflow_id.removeprefix(names.WORKFLOW_ID_PREFIX)}/{approval.position}"
        receipt = await self.run.decide(answer, named, id=id_)
        self.decided.append(Decided(id_ or "", named, receipt, answer))

    async def _decide_again(self, before: Decided) -> None:
        if not before.id:
            return
        try:
            receipt = await self.run.decide(before.answer, before.call, id=before.id)
        except DecisionRefused:
            # The agent that had it is over.
            return
        if not self.resets:
            assert receipt == before.receipt

    async def _forge(self, random: Random) -> None:
        handle = self.client.get_workflow_handle(self.run.workflow_id)
        with contextlib.suppress(RPCError):
            await handle.signal(names.CHILD_SIGNAL, random.choice(_FORGED))

    async def _reset(self, random: Random) -> None:
        handle = self.client.get_workflow_handle(self.run.workflow_id)
        try:
            described = await handle.describe()
            history = await self.client.get_workflow_handle(handle.id, run_id=described.run_id).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return
        points = reset_points(history)
        # A server refuses to cut between what it wrote in one piece.
        with contextlib.suppress(RPCError):
            if points:
                await reset(self.client, history, random.choice(points))
                self.resets += 1
                self.reset_s = time.monotonic()
