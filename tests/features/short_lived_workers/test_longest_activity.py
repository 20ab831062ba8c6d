"""A worker that lives for a short time refuses the tool calls that would outlast it."""

import pytest
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ActivityPolicy
from spine_temporal import durable as with_options
from tests.support.harness import Durable, activities_in, history_of, replay

pytestmark = pytest.mark.durable

_LIVES_S = 30.0
ran: list[str] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


@with_options(timeout_s=1800)
@tool
async def render(film: str) -> str:
    """Render; takes half an hour."""
    ran.append(film)
    return "rendered"


@with_options(timeout_s=1800)
@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay; may take half an hour."""
    ran.append(str(amount))
    return "paid"


@tool
async def look(what: str) -> str:
    """Look; says nothing of how long it takes."""
    ran.append(what)
    return "otters"


def asking(*asked: tuple[str, dict[str, object]]) -> Agent:
    return Agent(ScriptedProvider(calls(*asked), text("done")), tools=[render, pay, look])


async def test_call_that_outlasts_its_worker_is_refused_and_the_model_reads_why(
    client: Client, durable: Durable
) -> None:
    served = durable(asking(("render", {"film": "Otters"}), ("look", {"what": "river"})), longest_activity_s=_LIVES_S)

    result = await served.run("go")

    assert ran == ["river"]
    refusal, found = [message.content or "" for message in result.state.messages if message.role == "tool"]
    assert "'render' was not called: it may take 1800 s, and a worker lives for 30 s here" in refusal
    assert "@durable(task_queue=...)" in refusal
    assert (found, result.answer) == ("otters", "done")
    history = await history_of(client, served.runs[0])
    assert activities_in(history) == ["spine.step", "spine.tool", "spine.tool", "spine.step"]
    await replay(history)


async def test_model_reads_to_which_queue_the_tool_belongs(durable: Durable) -> None:
    served = durable(
        asking(("render", {"film": "Otters"})), longest_activity_s=_LIVES_S, longer_activities_task_queue="tools"
    )

    result = await served.run("go")

    [refusal] = [message.content or "" for message in result.state.messages if message.role == "tool"]
    assert "'render' was not called" in refusal
    assert refusal.endswith("Its author moves it to workers that stay: @durable(task_queue='tools')")
    assert (ran, result.answer) == ([], "done")


async def test_nobody_is_asked_to_approve_what_is_not_carried_out(durable: Durable) -> None:
    result = await durable(asking(("pay", {"amount": 7})), longest_activity_s=_LIVES_S).run("go")

    assert not result.interrupted
    assert (result.answer, ran) == ("done", [])


async def test_no_activity_gets_more_time_than_its_worker_lives(client: Client, durable: Durable) -> None:
    served = durable(
        asking(("look", {"what": "river"})),
        longest_activity_s=_LIVES_S,
        step_policy=ActivityPolicy(timeout_s=600),
    )

    await served.run("go")

    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in (await history_of(client, served.runs[0])).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert {each.start_to_close_timeout.ToTimedelta().total_seconds() for each in scheduled} == {_LIVES_S}


async def test_worker_that_stays_carries_the_call_out(durable: Durable) -> None:
    served = durable(asking(("render", {"film": "Otters"})))

    assert (await served.run("go")).answer == "done"
    assert ran == ["Otters"]
