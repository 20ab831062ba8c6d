"""What callers ask of the fleet, and what came of it."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench.scale.fleet import TASK_QUEUE, Fleet
from tests.bench.scale.serving import AGENT
from tests.support.waiting import until

CALLS: Final = 3
_KNOWN: Final = 10
_OPEN_S: Final = 24 * 3600.0


async def side_by_side(jobs: int, at_once: int, do: Callable[[int], Awaitable[None]]) -> float:
    """Do so many jobs, so many at once; seconds."""
    left, began_s = iter(range(jobs)), time.perf_counter()

    async def caller() -> None:
        for number in left:
            await do(number)

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return time.perf_counter() - began_s


@dataclass(slots=True)
class Opened:
    """Sessions that were opened, each with a turn."""

    sessions: int
    started_s: float
    """Until the last start was accepted."""
    answered_s: float
    """Until the last turn was answered."""


async def warm_up(client: Client) -> None:
    """Wait until the workers know that the server has the search attributes, by which runs are counted here."""
    durable, known = DurableAgent(AGENT, client, task_queue=TASK_QUEUE, session_ttl_s=0), 0

    async def indexed() -> bool:
        nonlocal known
        run = await durable.start("hello")
        await run.result()
        found = await client.get_workflow_handle(run.workflow_id).describe()
        known = known + 1 if "SpineStatus" in {pair.key.name for pair in found.typed_search_attributes} else 0
        return known >= _KNOWN

    await until(indexed, "search attributes")


async def open_sessions(client: Client, sessions: int) -> Opened:
    """Open them; nobody waits for their answers."""
    durable = DurableAgent(AGENT, client, task_queue=TASK_QUEUE, session_ttl_s=_OPEN_S)
    began_s = time.perf_counter()

    async def start(number: int) -> None:
        await durable.start("hello", session_id=f"open-{number}")

    started_s = await side_by_side(sessions, 50, start)

    async def idle() -> bool:
        return await _count(client, "idle") >= sessions

    give_up_s = time.monotonic() + 3600
    while not await idle():
        await asyncio.sleep(1)
        assert time.monotonic() < give_up_s, "not all sessions were answered within an hour"
    return Opened(sessions, started_s, time.perf_counter() - began_s)


async def size_bytes(client: Client) -> int:
    """The history of one of the open sessions."""
    described = await client.get_workflow_handle("spine-open-0").describe()
    return described.raw_description.workflow_execution_info.history_size_bytes


@dataclass(slots=True)
class Burst:
    """Turns of open sessions, all at once, each with a caller who waits."""

    turns: int
    wall_s: float
    answers_s: list[float] = field(repr=False)
    server_cpu_s: float
    """Of the server, until no run works any more."""
    worker_cpu_s: float
    """Of all workers, over the same time."""


async def burst(
    client: Client, turns: int, cpu: Callable[[], tuple[float, float]], *, first: int = 0, calls: int = 0
) -> Burst:
    """Say something in so many of the open sessions, from the `first` one on; each turn has so many tool calls.

    `cpu` gives what server and workers have spent by now.
    """
    durable = DurableAgent(AGENT, client, task_queue=TASK_QUEUE, session_ttl_s=_OPEN_S)
    answers_s = list[float]()

    async def say(number: int) -> None:
        began_s = time.perf_counter()
        result = await durable.run(f"turn-{first + number} {calls}", session_id=f"open-{first + number}")
        assert result.ok, result
        answers_s.append(time.perf_counter() - began_s)

    before = cpu()
    wall_s = await side_by_side(turns, turns, say)
    await until_idle(client)
    server_cpu_s, worker_cpu_s = (after - spent for after, spent in zip(cpu(), before, strict=True))
    return Burst(turns, wall_s, answers_s, server_cpu_s, worker_cpu_s)


@dataclass(slots=True)
class Rolled:
    """Restarts under load."""

    restarts: int
    exit_codes: dict[int, int]
    runs: int
    lost: int
    """Runs that did not end with their answer."""
    doubled: int
    """Effects that happened more than once."""
    missing: int
    wall_s: float
    waited_s: list[float] = field(repr=False)
    """Of each step and tool call: from when it was scheduled until its last attempt began."""


async def roll(client: Client, fleet: Fleet, restarts: int, *, at_once: int, every_s: float) -> Rolled:
    """Replace workers while so many runs are in hand all the time."""
    durable = DurableAgent(AGENT, client, task_queue=TASK_QUEUE, session_ttl_s=0)
    numbers, over, began_s = itertools.count(), asyncio.Event(), time.perf_counter()
    ended: dict[int, bool] = {}

    async def caller() -> None:
        while not over.is_set():
            number = next(numbers)
            ended[number] = False
            result = await durable.run(f"run-{number} {CALLS}", session_id=f"rolled-{number}")
            ended[number] = result.answer == "done"

    callers = [asyncio.create_task(caller()) for _ in range(at_once)]
    codes = Counter[int]()
    for _ in range(restarts):
        codes[await fleet.roll()] += 1
        await asyncio.sleep(every_s)
    over.set()
    await asyncio.gather(*callers, return_exceptions=True)
    wall_s = time.perf_counter() - began_s
    effects = Counter(fleet.effects.read_text().splitlines())
    wanted = {f"run-{number} {call}" for number in ended for call in range(CALLS)}
    return Rolled(
        restarts=restarts,
        exit_codes=dict(codes),
        runs=len(ended),
        lost=sum(not done for done in ended.values()),
        doubled=sum(times > 1 for times in effects.values()),
        missing=len(wanted - effects.keys()),
        wall_s=wall_s,
        waited_s=[s for number in ended for s in await _waits(client, f"spine-rolled-{number}")],
    )


async def _waits(client: Client, workflow_id: str) -> list[float]:
    scheduled, waits = dict[int, float](), list[float]()
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        at_s = event.event_time.ToNanoseconds() / 1e9
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled[event.event_id] = at_s
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            waits.append(at_s - scheduled[event.activity_task_started_event_attributes.scheduled_event_id])
    return waits


async def _count(client: Client, status: str) -> int:
    found = await client.count_workflows(f"SpineStatus = '{status}' AND ExecutionStatus = 'Running'")
    return found.count


async def until_idle(client: Client) -> None:
    """Wait until no run works."""

    async def nothing() -> bool:
        return not await _count(client, "running")

    await until(nothing, "the end of all work")
