"""However many in a process wait for a run, or watch it: it is read once, and each is told what it would be alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from spine_core import Agent, TraceEvent, tool
from temporalio.client import Client

from spine_temporal import Run
from spine_temporal.client import shared_reads
from spine_temporal.client.run_event import RunEvent
from spine_temporal.client.status_cursor import StatusCursor
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import RunNotFound
from tests.features.sessions.talk import chain_of, delete_history, new_session, parrot
from tests.support.agents_at_hand import Gate
from tests.support.counting import counted
from tests.support.harness import ONLY_NORMAL, Durable, told
from tests.support.waiting import until

pytestmark = pytest.mark.durable

MANY = 200
LATE = 40


async def watch(run: Run) -> list[RunEvent]:
    return [event async for event in run.events()]


def adding(gate: Gate) -> Agent:
    @tool
    async def add(a: int, b: int) -> int:
        """Add, when let."""
        await gate.pass_through()
        return a + b

    return parrot(tools=[add])


async def test_many_who_watch_cost_what_one_does(client: Client, durable: Durable) -> None:
    gate = Gate()
    served = durable(adding(gate), continue_policy=ContinuePolicy(events=1))

    async def cost(watchers: int) -> int:
        gate.open.clear()
        gate.begun.clear()
        run = await served.start("add 1 2 3 4")
        await gate.begun.wait()
        with counted(client) as requests:
            watching = [
                asyncio.create_task(watch(each)) for each in (run, served.get_run(run.id)) for _ in range(watchers)
            ]
            waiting = [asyncio.create_task(run.result()) for _ in range(watchers)]
            await until(lambda: _watchers(client, run) == (2 * watchers, watchers), "the watchers")
            gate.open.set()
            results = await asyncio.gather(*waiting)
            assert all(told_by(events) == told(results[0]) for events in await asyncio.gather(*watching))
        assert results == [results[0]] * watchers
        return requests.total()

    one, many = await cost(1), await cost(MANY)

    assert many < 3 * one + 10, f"{MANY} sent {many} requests, one {one}"


@pytest.mark.parametrize("found", [False, True], ids=["started", "found"])
async def test_each_who_comes_later_costs_one_request(client: Client, durable: Durable, found: bool) -> None:
    gate, session = Gate(), new_session()
    served = durable(adding(gate), continue_policy=ContinuePolicy(events=1))
    await served.run("hello", session_id=session)
    run = await served.start("add 1 2 3 4", session_id=session)
    await gate.begun.wait()
    run = served.get_run(session) if found else run
    watching = [asyncio.create_task(watch(run))]
    await until(lambda: _watchers(client, run)[0] == len(watching), "the first watcher")

    with counted(client) as requests:
        for _ in range(LATE):
            watching.append(asyncio.create_task(watch(run)))
            await until(lambda: _watchers(client, run)[0] == len(watching), "the next watcher")
    gate.open.set()

    # Besides, some for the first one, and for whether a worker is there.
    assert requests.total() < LATE * 3 / 2, f"{LATE} who came later sent {requests.total()} requests"
    result = await run.result()
    assert all(told_by(events) == told(result) for events in await asyncio.gather(*watching))


@ONLY_NORMAL
async def test_where_a_turn_begins_is_looked_up_anew_when_nobody_reads_it_any_more(
    client: Client, durable: Durable
) -> None:
    gate = Gate()
    served = durable(adding(gate), continue_policy=ContinuePolicy(events=1))
    run = await served.start("add 1 2 3 4", session_id=new_session())
    await gate.begun.wait()
    found = served.get_run(run.id)
    waiting = asyncio.create_task(found.result())
    await _read_one(found.events())
    assert len(await chain_of(client, run.workflow_id, str(run.run_id))) > 1

    await delete_history(client, run.workflow_id, str(run.run_id))
    served.runs.clear()
    watching = asyncio.create_task(watch(found))
    await until(lambda: _watchers(client, run) == (1, 1), "the watcher")
    gate.open.set()

    assert told_by(await watching)[-1] == told(await waiting)[-1]


async def test_each_who_comes_later_is_told_all_and_whoever_leaves_takes_nothing_along(
    client: Client, durable: Durable
) -> None:
    gates = {word: Gate() for word in ("one", "two", "three")}
    session = new_session()
    served = durable(parrot(gates=gates))
    runs = [await served.start(word, session_id=session) for word in gates]
    watching, leaving = [asyncio.create_task(watch(run)) for run in runs], []
    for gate in gates.values():
        await gate.begun.wait()
        watching += [asyncio.create_task(watch(run)) for run in runs]
        leaving.append(asyncio.create_task(watch(runs[-1])))
        gate.open.set()

        leaving[-1].cancel()

    results = [await run.result() for run in runs]
    for at, watcher in enumerate(watching):
        assert told_by(await watcher) == told(results[at % len(runs)])
    await asyncio.gather(*leaving, return_exceptions=True)
    assert not _shared_of(client, runs[0]), "it is read although nobody is there any more"


async def test_who_watches_a_turn_that_has_just_gone_on_does_not_end_at_the_pause_before(durable: Durable) -> None:
    @tool(approve=True)
    async def add(a: int, b: int) -> int:
        """Add, when let."""
        return a + b

    session = new_session()
    served = durable(parrot(tools=[add]))
    first = await served.start("add 1 2", session_id=session)
    second = await served.start("second", session_id=session)
    following = asyncio.create_task(watch(second))
    assert (await first.result()).interrupted
    assert [event.type for event in await watch(first)][-1] == "interrupt"

    await first.decide("approve")
    events = await watch(first)

    assert events[-1].type == "final"
    assert told_by(await following) == told(await second.result())


FOLLOWED: dict[str, Callable[[Run], AsyncGenerator[RunEvent]]] = {
    "all": lambda run: run.events(),
    "with tokens": lambda run: run.events(tokens=True),
    "after": lambda run: run.events_after(StatusCursor(-1)),
}


@pytest.mark.parametrize("how", FOLLOWED)
async def test_whoever_closes_its_events_has_left_when_they_are_closed(
    client: Client, durable: Durable, how: str
) -> None:
    gate = Gate()
    run = await durable(adding(gate)).start("add 1 2", session_id=new_session())

    await _read_one(FOLLOWED[how](run))

    assert not _shared_of(client, run)
    gate.open.set()
    await run.result()


async def test_whoever_closes_a_stream_has_left_when_it_is_closed(client: Client, durable: Durable) -> None:
    gate = Gate()
    served = durable(adding(gate))

    await _read_one(served.stream("add 1 2"))

    assert not _shared_of(client, served.runs[0])
    gate.open.set()
    await served.runs[0].result()


async def test_what_goes_wrong_is_told_to_all(client: Client, durable: Durable) -> None:
    nowhere = durable(parrot()).get_run("nowhere")

    told_them = await asyncio.gather(*(watch(nowhere) for _ in range(5)), return_exceptions=True)

    assert all(isinstance(error, RunNotFound) for error in told_them)
    assert not _shared_of(client, nowhere)


async def test_what_one_does_with_an_event_another_does_not_see(durable: Durable) -> None:
    run = await durable(parrot()).start("hello")

    async def spoil() -> list[RunEvent]:
        events = []
        async for event in run.events():
            event.data.clear()
            events.append(event)
        return events

    spoilt, events = await asyncio.gather(spoil(), watch(run))

    assert not any(event.data for event in spoilt)
    assert told_by(events) == told(await run.result())


async def _read_one(events: AsyncGenerator[RunEvent]) -> None:
    async with aclosing(events):
        await anext(events)


def told_by(events: Sequence[TraceEvent]) -> list[tuple[str, int, dict[str, Any]]]:
    return [(str(event.type), event.step, event.data) for event in events]


def _shared_of(client: Client, run: Run) -> shared_reads.SharedReads | None:
    known = shared_reads._shared.get(asyncio.get_running_loop(), {})
    return known.get((id(client), run.workflow_id))


def _watchers(client: Client, run: Run) -> tuple[int, int]:
    """How many watch its history, how many wait for its result."""
    reads = _shared_of(client, run)
    if reads is None:
        return 0, 0
    waiting = reads.status.waiting + sum(ahead.waiting for ahead in reads._ahead.values())
    return sum(live.followers for live in reads._live.values()), waiting
