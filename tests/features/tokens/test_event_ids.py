"""Every event of a run has one id, for whoever reads it in whatever process, and from each the rest can be read."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from typing import Any

import pytest
from spine_core import StopReason, tool
from temporalio.client import Client

from spine_temporal import DurableAgent, Run
from spine_temporal.client.run_event import RunEvent
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput
from tests.features.sessions.talk import new_session, parrot
from tests.features.tokens.streaming import TEXTS, Streams, agent, told
from tests.features.tokens.test_tokens import read, written
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, history_of
from tests.support.resets import reset, reset_points
from tests.support.waiting import until

pytestmark = pytest.mark.durable

_READ = """
import asyncio, json, os, sys
from spine_temporal import DurableAgent
from temporalio.client import Client


async def main(address, session):
    run = DurableAgent("any", await Client.connect(address)).get_run(session)
    print(json.dumps([event.id async for event in run.events(tokens=True)]))


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
# Interpreter exit with temporalio loaded may hang (sdk-python#300).
os._exit(0)
"""


async def all_events(run: Run, after: str | None = None, *, tokens: bool = True) -> list[RunEvent]:
    return [event async for event in run.events(tokens=tokens, after=after)]


async def assert_joins(run: Run, events: Sequence[RunEvent]) -> None:
    """From each of the events on, exactly the rest of them is read."""
    whole = await all_events(run)
    assert len({event.id for event in events}) == len(events)
    for at, event in enumerate(events):
        rest = await all_events(run, event.id)
        assert not {each.id for each in rest} & {each.id for each in events[: at + 1]}
        assert without_texts([*events[: at + 1], *rest]) == without_texts(whole)
        assert written([*events[: at + 1], *rest]) == written(whole)
    without = await all_events(run, tokens=False)
    assert [each.id for each in without] == [each.id for each in whole if each.type != "token"]


def without_texts(events: Sequence[RunEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.id) for event in events if event.type != "token"]


@pytest.mark.parametrize("options", [{}, {"continue_policy": ContinuePolicy(events=1)}], ids=["whole", "continuing"])
async def test_from_each_id_the_rest_is_told_whatever_was_given_up_on_the_way(
    client: Client, durable: Durable, options: dict[str, Any]
) -> None:
    gate, early, again = Gate(), list[RunEvent](), list[RunEvent]()

    def fails(at: int) -> None:
        if at == 0:
            raise ConnectionError("the first attempt breaks off")

    served = durable(agent(Streams(gate, fails=fails)), **options)
    run = await served.start("1 + 2?", tokens=True)
    first = asyncio.create_task(read(run, early))
    await until(lambda: written(early) == TEXTS[0], "the first piece")
    # Who lost the connection in the middle of a text joins again there.
    joined = asyncio.create_task(_read_after(served.get_run(run.id), early[-1].id, again))
    gate.open.set()
    await asyncio.gather(first, joined)

    assert [event for event in early if "replaces" in event.data]
    assert told([*early[: _at(early, again)], *again]) == told(early)
    await assert_joins(run, early)


async def test_two_processes_give_the_same_ids(client: Client, durable: Durable) -> None:
    served = durable(agent(Streams()))
    run = await served.start("1 + 2?", tokens=True)
    await run.result()
    mine = [event.id for event in await all_events(run)]

    address = client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _READ, address, run.id, stdout=PIPE)
    printed, _ = await process.communicate()

    assert json.loads(printed) == mine
    assert len(mine) > 5


async def test_who_stays_while_a_run_is_taken_back_is_told_what_follows_and_nothing_twice(
    client: Client, durable: Durable
) -> None:
    gate, session, events = Gate(), new_session(), list[RunEvent]()

    @tool
    async def add(a: int, b: int) -> int:
        await gate.pass_through()
        return a + b

    served = durable(parrot(tools=[add]))
    run = await served.start("add 1 2 3 4", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    reader = asyncio.create_task(read(run, events))
    await until(lambda: "tool_call" in [event.type for event in events], "the first events")
    history = await history_of(client, run)
    await reset(client, history, reset_points(history)[-1])
    gate.open.set()
    assert (await run.result()).stopped_reason is StopReason.FINAL
    await reader

    assert len({event.id for event in events}) == len(events)
    kept = [event.id for event in await all_events(served.get_run(session))]
    assert [event.id for event in events if event.id in kept] == kept
    await assert_joins(served.get_run(session), [event for event in events if event.id in kept])


async def test_an_id_that_a_reset_took_back_leaves_out_what_came_before_it(client: Client, durable: Durable) -> None:
    served = durable(parrot())
    run = await served.start("add 1 2 3 4", session_id=new_session())
    await run.result()
    before = await all_events(run)
    history = await history_of(client, run)
    points = reset_points(history)
    await reset(client, history, points[len(points) // 2])
    run = served.get_run(run.id)
    await until(lambda: _has_stopped(run), "the new end")
    after = await all_events(run)
    kept = [event.id for event in after if event.id in {each.id for each in before}]
    assert kept == [event.id for event in before[: len(kept)]]
    assert 0 < len(kept) < len(before)

    assert await all_events(run, before[-1].id) == after[len(kept) :]
    assert await all_events(run, before[len(kept) - 1].id) == after[len(kept) :]


async def test_each_turn_of_a_session_has_events_of_its_own(durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    first = await served.start("add 1 2", session_id=session)
    await first.result()
    last = (await all_events(first))[-1].id
    second = await served.start("add 3 4", session_id=session)
    await second.result()

    ids = [event.id for event in await all_events(second)]
    assert [event.id for event in await all_events(second, last)] == ids
    assert await all_events(second, ids[-1]) == []
    await assert_joins(second, await all_events(second))


@pytest.mark.parametrize("id_", ["", "yesterday", "1-2"])
async def test_what_is_no_id_is_refused(client: Client, id_: str) -> None:
    with pytest.raises(BadInput, match="is no id of an event"):
        await all_events(DurableAgent("any", client).get_run("any"), id_)


async def _read_after(run: Run, after: str, events: list[RunEvent]) -> None:
    async for event in run.events(tokens=True, after=after):
        events.append(event)  # noqa: PERF401 - it is looked at meanwhile


def _at(events: Sequence[RunEvent], rest: Sequence[RunEvent]) -> int:
    """How many events were there before the rest, which begins with a text that is written anew."""
    return next(at for at, event in enumerate(events) if "replaces" in event.data) if rest else len(events)


async def _has_stopped(run: Run) -> bool:
    return (await run.result()).stopped_reason is StopReason.FINAL
