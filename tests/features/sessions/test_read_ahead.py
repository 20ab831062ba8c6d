"""Who waits for what a run was given a moment ago has it read while it grows, and asks for next to nothing."""

import asyncio
from typing import Any

import pytest
from spine_core import Agent, tool
from temporalio.client import Client

from spine_temporal.client import pacing, pollers, shared_reads
from spine_temporal.client.read_ahead import can_read_ahead
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.history import follow
from tests.features.sessions.talk import new_session, parrot, texts
from tests.support.agents_at_hand import Gate
from tests.support.counting import counted
from tests.support.harness import Durable, history_of, told
from tests.support.resets import reset, reset_points

pytestmark = pytest.mark.durable

LOOKS = 30


@pytest.fixture(params=["whole pages", "pages of three events"])
def unpaced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history is asked for as soon as what came is folded."""
    monkeypatch.setattr(pacing, "_FIRST_S", 0.0)
    monkeypatch.setattr(pacing, "_LAST_S", 0.0)
    if request.param == "pages of three events":
        asked = follow._request

        def in_pages(*args: Any, **kwargs: Any) -> Any:
            made = asked(*args, **kwargs)
            made.maximum_page_size = 3
            return made

        monkeypatch.setattr(follow, "_request", in_pages)


@pytest.fixture
def silent_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll that nothing answers is never over; every page may have been cut off."""
    monkeypatch.setattr(follow, "_MANY_EVENTS", 1)
    read = follow._page

    async def until_something_comes(client: Client, asked: Any) -> Any:
        page = await read(client, asked)
        if page is None or (asked.wait_new_event and not page.history.events):
            await asyncio.Event().wait()
        return page

    monkeypatch.setattr(follow, "_page", until_something_comes)


def adding(gate: Gate, *, approve: bool = False) -> Agent:
    @tool(approve=approve)
    async def add(a: int, b: int) -> int:
        """Add, when let."""
        await gate.pass_through()
        return a + b

    return parrot(tools=[add])


@pytest.mark.usefixtures("unpaced")
async def test_a_run_that_stands_still_is_not_asked_after(
    client: Client, durable: Durable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pollers, "_LOOK_AFTER_S", 3600.0)
    gate = Gate()
    served = durable(adding(gate))
    waiting = asyncio.create_task(served.run("add 1 2", session_id=new_session()))
    await gate.begun.wait()

    with counted(client) as requests:
        # As many round trips as there would be looks at a run that is looked at without a pause.
        for _ in range(LOOKS):
            await client.service_client.check_health()
        asked = requests.total()
        gate.open.set()
        result = await waiting

    assert result.answer == "got 3"
    assert asked <= LOOKS / 3, f"{asked} requests for a run that stands still"


@pytest.mark.usefixtures("silent_polls")
async def test_the_end_is_known_though_nothing_comes_after_it(durable: Durable) -> None:
    result = await asyncio.wait_for(durable(parrot()).run("hello", session_id=new_session()), 60)

    assert result.answer == "heard hello"


@pytest.mark.usefixtures("unpaced")
async def test_turns_side_by_side_each_have_their_own_result(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    first = asyncio.create_task(served.run("wait here", session_id=session))
    await gate.begun.wait()
    others = [asyncio.create_task(served.run(word, session_id=session)) for word in ("second", "third")]
    gate.open.set()

    answers = [result.answer for result in await asyncio.gather(first, *others)]

    assert answers[0] == "heard wait here"
    assert sorted(map(str, answers[1:])) == ["heard second", "heard third"]


@pytest.mark.usefixtures("unpaced")
async def test_all_who_wait_have_the_pause_and_then_the_end(durable: Durable) -> None:
    gate = Gate()
    gate.open.set()
    run = await durable(adding(gate, approve=True)).start("add 1 2 3 4", session_id=new_session())

    paused = await asyncio.gather(*(run.result() for _ in range(5)))

    assert all(result.interrupted for result in paused)
    for _ in range(2):
        receipt = await run.decide("approve")
    assert (await run.next_result(after=receipt.status_number)).answer == "got 7"


@pytest.mark.usefixtures("unpaced")
async def test_one_that_continues_as_new_meanwhile_is_followed(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(adding(gate), continue_policy=ContinuePolicy(events=1))
    waiting = asyncio.create_task(served.run("add 1 2 3 4 5 6", session_id=session))
    await gate.begun.wait()
    gate.open.set()

    result = await waiting

    assert result.answer == "got 11"
    assert told(result) == told(await served.get_run(session).result())


@pytest.mark.usefixtures("unpaced")
async def test_one_that_is_reset_meanwhile_gives_the_result_that_holds(client: Client, durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    await served.run("hello", session_id=session)
    waiting = asyncio.create_task(served.run("wait here", session_id=session))
    await gate.begun.wait()
    history = await history_of(client, served.get_run(session))

    await reset(client, history, reset_points(history)[0])
    gate.open.set()

    result = await asyncio.wait_for(waiting, 60)
    assert texts(result.state) == ["hello", "heard hello", "wait here", "heard wait here"]
    assert result.state == await served.get_run(session).state()


@pytest.mark.usefixtures("unpaced")
async def test_one_that_is_terminated_meanwhile_ends_with_the_reason(client: Client, durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    waiting = asyncio.create_task(served.run("wait", session_id=session))
    await gate.begun.wait()

    await client.get_workflow_handle(served.get_run(session).workflow_id).terminate(reason="enough")

    assert (await waiting).error == "the run was terminated: enough"


async def test_who_stops_waiting_leaves_nothing_behind(client: Client, durable: Durable) -> None:
    gate = Gate()
    served = durable(adding(gate))
    waiting = asyncio.create_task(served.run("add 1 2", session_id=new_session()))
    await gate.begun.wait()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting

    gate.open.set()
    assert not [task for task in asyncio.all_tasks() if "ReadAhead" in repr(task.get_coro()) and not task.cancelling()]
    assert not shared_reads._shared.get(asyncio.get_running_loop(), {})


async def test_it_is_done_where_a_long_poll_is_answered_with_what_there_is(client: Client) -> None:
    assert await can_read_ahead(client)
