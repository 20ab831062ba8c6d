"""Policies are obeyed: a tool's own, the run's, the agent's, on whichever worker."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, Tool, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ActivityPolicy, AgentWorker, DurableAgent, Run, durable
from spine_temporal.contracts import names

pytestmark = pytest.mark.durable


class Flaky(Exception):
    """A failure that is known to pass, though nobody else knows it."""


class VeryFlaky(Flaky):
    """One kind of it."""


def failing(times: int, error: type[Exception], **options: Any) -> tuple[Tool, list[int]]:
    """A tool that raises so often, with the calls that it had."""
    called: list[int] = []

    @tool
    @durable(retry_first_s=0.01, **options)
    async def fetch() -> str:
        """Fetch it."""
        called.append(1)
        if len(called) <= times:
            raise error("not yet")
        return "fetched"

    return fetch, called


class Repeating:
    """Calls the tool, then says what it read."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        return text(messages[-1].content or "") if messages[-1].role == "tool" else calls(("fetch", {}))


@pytest.mark.parametrize(
    ("error", "options", "made", "read"),
    [
        (Flaky, {"retry_on": [Flaky]}, 3, "fetched"),
        (VeryFlaky, {"retry_on": [Flaky]}, 3, "fetched"),
        (Flaky, {"retry_on": [f"{__name__}.Flaky"]}, 3, "fetched"),
        (Flaky, {"retry_on": [Flaky], "attempts": 2}, 2, "Error executing tool 'fetch': not yet"),
        (Flaky, {"retry_on": [Flaky], "at_most_once": True}, 1, "Error executing tool 'fetch': not yet"),
        (Flaky, {"retry_on": [VeryFlaky]}, 1, "Error executing tool 'fetch': not yet"),
        (Flaky, {}, 1, "Error executing tool 'fetch': not yet"),
    ],
    ids=["named", "a subclass", "by name", "attempts spent", "at most once", "another one", "not named"],
)
async def test_a_tool_is_called_again_after_what_it_names(
    client: Client, error: type[Exception], options: dict[str, Any], made: int, read: str
) -> None:
    fetch, called = failing(2, error, **options)
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[Agent(Repeating(), tools=[fetch], name="fetcher")], task_queue=queue):
        result = await DurableAgent("fetcher", client, task_queue=queue).run("go")

    assert (len(called), result.answer) == (made, read)


async def test_a_model_is_asked_again_after_what_the_policy_names(client: Client) -> None:
    asked: list[int] = []

    class Moody:
        async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
            asked.append(1)
            if len(asked) == 1:
                raise Flaky("in no mood")
            return text("well")

    queue, policy = uuid.uuid4().hex, ActivityPolicy(retry_on=(Flaky,), retry_first_s=0.01)
    async with AgentWorker(client, agents=[Agent(Moody(), name="moody")], task_queue=queue, step_policy=policy):
        result = await DurableAgent("moody", client, task_queue=queue).run("how are you?")

    assert (result.answer, len(asked)) == ("well", 2)


async def scheduled(client: Client, run: Run, name: str) -> Any:
    """The first activity of that name, as the history has it."""
    history = await client.get_workflow_handle(run.workflow_id).fetch_history()
    events = [event.activity_task_scheduled_event_attributes for event in history.events]
    return next(event for event in events if event.activity_type.name == name)


async def test_a_tools_own_goes_before_the_runs_which_goes_before_the_agents(client: Client) -> None:
    fetch, _ = failing(0, Flaky, heartbeat_s=11.0)
    agent, queue = Agent(Repeating(), tools=[fetch], name="fetcher"), uuid.uuid4().hex
    agents = {
        "fetcher": ActivityPolicy(timeout_s=70.0, heartbeat_s=10.0),
        "other": ActivityPolicy(timeout_s=1.0),
    }
    other = Agent(ScriptedProvider(), name="other")
    async with AgentWorker(client, agents=[agent, other], task_queue=queue, step_policy=agents, tool_policy=agents):
        mine = DurableAgent("fetcher", client, task_queue=queue, tool_policy=ActivityPolicy(timeout_s=80.0))
        run = await mine.start("go", session_id=uuid.uuid4().hex)
        await run.result()
        step, call = [await scheduled(client, run, name) for name in (names.STEP_ACTIVITY, names.TOOL_ACTIVITY)]

    def limits(event: Any) -> tuple[int, int]:
        return event.start_to_close_timeout.seconds, event.heartbeat_timeout.seconds

    assert (limits(step), limits(call)) == ((70, 10), (80, 11))


async def test_a_runs_own_reaches_the_agents_that_work_for_it_and_its_later_turns(client: Client) -> None:
    fetch, _ = failing(0, Flaky)
    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    below = Agent(Repeating(), tools=[fetch], name="below")
    above = Agent(ScriptedProvider(*[calls(("below", {"input": "go"})), text("done")] * 2), name="above")
    above.tools["below"] = below.as_tool(name="below")
    async with AgentWorker(client, agents=[above, below], task_queue=queue):
        mine = DurableAgent("above", client, task_queue=queue, tool_policy=ActivityPolicy(timeout_s=80.0))
        for _ in range(2):
            run = await mine.start("go", session_id=session)
            assert (await run.result()).answer == "done"
        children = [each async for each in client.list_workflows("") if each.id.startswith(f"{run.workflow_id}/")]
        history = await client.get_workflow_handle(children[0].id).fetch_history()

    limits = {
        event.activity_task_scheduled_event_attributes.start_to_close_timeout.seconds
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == names.TOOL_ACTIVITY
    }
    assert (len(children), limits) == (2, {80})


async def test_a_call_goes_to_the_workers_of_its_task_queue(client: Client) -> None:
    queue, special, ran_on = uuid.uuid4().hex, f"special-{uuid.uuid4().hex}", list[str]()

    def made_for(worker: str) -> Agent:
        @tool
        @durable(task_queue=special)
        async def fetch() -> str:
            """Fetch it where it is."""
            ran_on.append(worker)
            return "fetched"

        return Agent(Repeating(), tools=[fetch], name="fetcher")

    def worker(name: str, task_queue: str) -> AgentWorker:
        return AgentWorker(client, agents=[made_for(name)], task_queue=task_queue)

    async with worker("ordinary", queue), worker("special", special):
        result = await DurableAgent("fetcher", client, task_queue=queue).run("go")

    assert (result.answer, ran_on) == ("fetched", ["special"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: durable(retry_on=[int]), "retry_on"),  # type: ignore[list-item]
        (lambda: durable(retry_on="Flaky"), "retry_on"),
        (lambda: durable(task_queue=""), "task_queue"),
    ],
    ids=["no exception", "a text", "no queue"],
)
def test_what_cannot_be_obeyed_is_refused_where_it_is_written(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
