"""One run, struck once: what was asked of the world, what came of it, and how long it took to recover."""

import asyncio
import signal
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.faults.effects import doubled_effects
from tests.faults.matrix import POLLS, Boundary, Scenario, brings_task
from tests.storm.checks import check_histories
from tests.support.harness import assert_same
from tests.support.processes import Fleet, WorkerProcess
from tests.support.proxy.grpc_proxy import Call, GrpcProxy

# A run that takes longer is wedged; a lost workflow task alone is given to another worker after ten seconds.
_WEDGED_S: Final = 150.0

type Verdict = Literal["right", "not reached", "wrong", "doubled", "wedged"]


@dataclass
class Struck:
    """What became of a run."""

    verdict: Verdict
    recovery_s: float | None = None
    """From the fault to the Result, the start of another worker included."""
    why: str = ""
    result: Result | None = None
    calls: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)


class _Striking:
    """Strikes once, at the boundary; counts what passes until then."""

    def __init__(self, boundary: Boundary | None, fleet: "_Manned") -> None:
        self.calls, self.tasks = Counter[str](), Counter[str]()
        self.struck_s: float | None = None
        self._boundary = boundary
        self._fleet = fleet

    async def __call__(self, call: Call) -> bytes:
        if self.struck_s is not None:
            return await call.forward()
        self.calls[call.method] += 1
        if self._is_here(call.method, self.calls, "before"):
            self._kill()
            return await call.refuse()
        reply = await call.forward()
        if call.method in POLLS:
            if not brings_task(call.method, reply):
                return reply
            self.tasks[call.method] += 1
        counts = self.tasks if call.method in POLLS else self.calls
        if self.struck_s is None:
            if self._is_here(call.method, counts, "after"):
                call.when_delivered(self._kill)
            elif self._is_here(call.method, counts, "lost"):
                self._kill()
                return await call.refuse()
            elif self._is_here(call.method, counts, "dropped"):
                self.struck_s = time.monotonic()
                return await call.refuse("connection reset by the proxy")
        return reply

    def _is_here(self, method: str, counts: Counter[str], way: str) -> bool:
        here = self._boundary
        return here is not None and (here.method, here.number, here.way) == (method, counts[method], way)

    def _kill(self) -> None:
        if self.struck_s is None:
            self.struck_s = time.monotonic()
            self._fleet.replace()


class _Manned:
    """A fleet with one worker at work."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._worker: WorkerProcess = fleet.start()

    def replace(self) -> None:
        """Kill the one, start another."""
        self._worker.send_signal(signal.SIGKILL)
        self._worker.wait()
        self._worker = self._fleet.start()


async def strike(client: Client, scenario: Scenario, boundary: Boundary | None, clean: Result | None = None) -> Struck:
    """Run the scenario, strike at the boundary, hold what came of it against the clean Result."""
    with tempfile.TemporaryDirectory(prefix="spine-temporal-") as folder:
        queue = f"matrix-{uuid.uuid4().hex}"
        async with GrpcProxy(client.service_client.config.target_host) as proxy:
            with Fleet(proxy.address, queue, Path(folder), **scenario.options) as fleet:
                agent = DurableAgent(scenario.kind, client, task_queue=queue)
                run = await agent.start("go")
                striking = _Striking(boundary, _Manned(fleet))
                proxy.meddle = striking
                struck = Struck("right", calls=striking.calls, tasks=striking.tasks)
                try:
                    async with asyncio.timeout(_WEDGED_S):
                        struck.result = await _decided(agent, run.id)
                except TimeoutError:
                    struck.verdict = "wedged"
                    return struck
                if boundary is not None and striking.struck_s is None:
                    struck.verdict = "not reached"
                elif striking.struck_s is not None:
                    struck.recovery_s = time.monotonic() - striking.struck_s
                await _judge(client, run.workflow_id, struck, clean, fleet)
    return struck


async def _decided(agent: DurableAgent, id_: str) -> Result:
    """The Result, after everything that is asked was allowed."""
    result = await agent.get_run(id_).result()
    while result.interrupted:
        result = await agent.resume(id_, "yes")
    return result


async def _judge(client: Client, workflow_id: str, struck: Struck, clean: Result | None, fleet: Fleet) -> None:
    assert struck.result is not None
    doubled = doubled_effects(fleet.effects.lines())
    if doubled:
        struck.verdict, struck.why = "doubled", doubled
        return
    try:
        if clean is not None and not _is_unknown(struck.result):
            assert_same(_in_order(struck.result), _in_order(clean))
        await check_histories(client, workflow_id)
    except Exception as error:  # noqa: BLE001 - a replay that fails raises what it likes
        struck.verdict, struck.why = "wrong", f"{type(error).__name__}: {error}"


def _in_order(result: Result) -> Result:
    """The Result with the events of each step's tools in one order: those of parallel calls come as they happen to."""
    trace = sorted(result.trace, key=lambda event: (event.step, event.type.startswith("tool_"), str(event.data)))
    first = sorted(event.seq for event in result.trace)
    return result.model_copy(
        update={"trace": [each.model_copy(update={"seq": seq}) for each, seq in zip(trace, first, strict=True)]}
    )


def _is_unknown(result: Result) -> bool:
    """Whether it is of the agent whose tool is begun once at most, and says that nobody knows."""
    return result.answer is not None and "nobody knows whether it was done" in str(result.answer)
