"""What happens to conversations over several executions and workflows; every history of a scene is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from spine_core import Agent, Message, ModelResponse, State, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_orchestration import Handoff, Sequential
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion

from spine_temporal import AgentWorker, ContinuePolicy, Decision, DurableAgent, TemporalCheckpoint, durable
from spine_temporal.client.drain import drain
from tests.replay.runs import Counting, Pausing, pay
from tests.support.agents_at_hand import Gate, add
from tests.support.deployments import make_current
from tests.support.resets import reset as take_back
from tests.support.resets import reset_points
from tests.support.waiting import until

type Scene = Callable[[Client], Awaitable[None]]

QUEUE: Final = "recorded"
OFTEN: Final = ContinuePolicy(events=1)


class Echo:
    """Adds once a turn, then answers with what was said."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        if messages[-1].role == "tool":
            said = next(message.content for message in reversed(messages) if message.role == "user")
            return text(f"heard {said}")
        return calls(("add", {"a": 1, "b": 2}))


def worker(client: Client, agents: Any, **options: Any) -> AgentWorker:
    return AgentWorker(client, agents=agents, task_queue=QUEUE, identity=client.identity, **options)


async def conversation(client: Client) -> None:
    """Turns that queue, one that is stopped, executions that continue, a session that opens again, a fork."""
    agent = Agent(Echo(), tools=[add], name="echo", system="be brief", middleware=[Counting(), Pausing()])
    async with worker(client, [agent], continue_policy=OFTEN):
        durable_agent = DurableAgent("echo", client, task_queue=QUEUE)
        first, second, third = [await durable_agent.start(word, session_id="talk") for word in ("one", "two", "three")]
        await second.stop()
        for run in (first, second, third):
            await run.result()
        await durable_agent.get_run("talk").stop()
        await closed(client, "spine-talk")
        await (await durable_agent.start("four", session_id="talk")).result()
        fork = await durable_agent.get_run("talk").fork(step=2, input="and then?", session_id="forked")
        await fork.result()
        await durable_agent.get_run("talk").cancel()
        await closed(client, "spine-talk")


async def tree(client: Client) -> None:
    """An agent below asks a person, while the one above continues as new; another one is cancelled with its tree."""
    below = Agent(ScriptedProvider(*[calls(("pay", {"amount": 7})), text("paid")] * 3), tools=[pay], name="below")
    above = Agent(
        ScriptedProvider(*[calls(("below", {"input": "pay"}), ("add", {"a": 1, "b": 2})), text("done")] * 2),
        tools=[below.as_tool(name="below"), add],
        parallel_tools=True,
        middleware=[Pausing()],
        name="above",
    )
    async with worker(client, [above, below], continue_policy=OFTEN):
        run = await DurableAgent("above", client, task_queue=QUEUE).start("go", session_id="tree")
        await run.result()
        await run.decide(Decision(approve=True, arguments={"amount": 5}, decided_by="anna"))
        await run.next_result(after=1)
        again = await DurableAgent("above", client, task_queue=QUEUE).start("go", session_id="felled")
        await until(lambda: pauses(again), "a question from below")
        await again.cancel()
        await closed(client, "spine-felled")


async def teams(client: Client) -> None:
    """Members that follow each other, and members that hand over, over executions that continue."""
    desk = Agent(ScriptedProvider(calls(("transfer_to_clerk", {})), text("over")), name="desk")
    clerk = Agent(ScriptedProvider(calls(("add", {"a": 1, "b": 2})), text("three")), tools=[add], name="clerk")
    chain = Sequential(*[Agent(ScriptedProvider(text(word)), name=word) for word in ("first", "second")])
    async with worker(
        client, {"desk": Handoff({"desk": desk, "clerk": clerk}, start="desk"), "chain": chain}, continue_policy=OFTEN
    ):
        for name in ("desk", "chain"):
            await (await DurableAgent(name, client, task_queue=QUEUE).start("go", session_id=name)).result()


async def expiries(client: Client) -> None:
    """Approvals that nobody gives in time."""
    wish = calls(("pay", {"amount": 1}), ("settle", {}), content="paying")

    @tool(approve=True)
    @durable(approval_timeout_s=0.2, on_timeout="approve")
    async def settle() -> str:
        """Settle."""
        return "settled"

    async with worker(client, [Agent(ScriptedProvider(wish, text("done")), tools=[pay, settle], name="payer")]):
        agent = DurableAgent("payer", client, task_queue=QUEUE, approval_timeout_s=0.1, session_ttl_s=0)
        run = await agent.start("go", session_id="expired")
        await closed(client, run.workflow_id)


async def outages(client: Client) -> None:
    """A model that is away, a tool that is tried again, one that is not, one on a queue of its own."""
    outages_left, refusals_left = [1], [1]

    class Away(Echo):
        async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
            if outages_left.pop() if outages_left else False:
                raise ConnectionError("away")
            return text("done") if messages[-1].role == "tool" else calls(("fetch", {}), ("send", {}))

    @tool
    @durable(retry_on=[LookupError], retry_first_s=0.05, task_queue="elsewhere")
    async def fetch() -> str:
        """Fetch."""
        if refusals_left:
            refusals_left.pop()
            raise LookupError("not yet")
        return "fetched"

    @tool
    @durable(at_most_once=True, timeout_s=60, heartbeat_s=20)
    async def send() -> str:
        """Send."""
        return "sent"

    agent = Agent(Away(), tools=[fetch, send], name="tough")
    elsewhere = AgentWorker(client, agents=[agent], task_queue="elsewhere", identity=client.identity)
    async with worker(client, [agent]), elsewhere:
        run = await DurableAgent("tough", client, task_queue=QUEUE, session_ttl_s=0).start("go", session_id="tough")
        await run.result()


class Kept:
    """A checkpoint backend of the agent's own."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    async def get(self, session_id: str) -> State | None:
        return self.states.get(session_id)

    async def put(self, state: State) -> None:
        self.states[state.session_id] = state.model_copy(deep=True)

    async def delete(self, session_id: str) -> None:
        self.states.pop(session_id, None)


async def backends(client: Client) -> None:
    """A conversation that its agent's own backend knew, written there after each turn; a store of the kernel's own."""
    kept = Kept()
    await kept.put(State(session_id="kept", messages=[Message.user("before"), Message.assistant("I see")]))
    agent = Agent(Echo(), tools=[add], checkpoint=kept, name="kept")
    async with worker(client, [agent]):
        durable_agent = DurableAgent("kept", client, task_queue=QUEUE, session_ttl_s=0)
        for word in ("one", "two"):
            await (await durable_agent.start(word, session_id="kept")).result()
            await closed(client, "spine-kept")
        store = TemporalCheckpoint(client, task_queue=QUEUE)
        plain = Agent(Echo(), tools=[add], checkpoint=store, name="plain")
        await plain.run("on the plain kernel", session_id="plain")


async def taken_back(client: Client) -> None:
    """A run that is taken back to before a tool call, while another turn waits."""
    gate = Gate()

    @tool
    async def wait() -> str:
        """Wait."""
        await gate.pass_through()
        return "waited"

    provider = ScriptedProvider(*[calls(("wait", {})), text("done")] * 3)
    async with worker(client, [Agent(provider, tools=[wait], name="waiter")]):
        agent = DurableAgent("waiter", client, task_queue=QUEUE)
        first = await agent.start("one", session_id="reset")
        await gate.begun.wait()
        second = await agent.start("two", session_id="reset")
        history = await client.get_workflow_handle(first.workflow_id, run_id=first.run_id).fetch_history()
        await take_back(client, history, reset_points(history)[-1])
        gate.open.set()
        await second.result()
        await agent.get_run("reset").stop()
        await closed(client, "spine-reset")


async def local_tools(client: Client) -> None:
    """Tools within the workflow task: one after another, one that takes too long, side by side with an ordinary one."""

    @durable(local=True)
    @tool
    async def look(n: int) -> str:
        """Look."""
        return f"saw {n}"

    @durable(local=True, timeout_s=0.2)
    @tool
    async def stare(n: int) -> str:
        """Take too long when it is local."""
        if activity.info().is_local:
            await asyncio.Event().wait()
        return f"stared at {n}"

    wish = calls(("look", {"n": 1}), ("look", {"n": 2}), ("stare", {"n": 3}))
    mixed = calls(("look", {"n": 4}), ("add", {"a": 1, "b": 2}), ("look", {"n": 5}))
    tools = [look, stare, add]
    looker = Agent(ScriptedProvider(wish, text("done")), tools=tools, name="looker")
    beside = Agent(ScriptedProvider(mixed, text("done")), tools=tools, parallel_tools=True, name="beside")
    often = Agent(ScriptedProvider(wish, mixed, text("done")), tools=tools, name="often")
    async with worker(client, [looker, beside]):
        for name in ("looker", "beside"):
            agent = DurableAgent(name, client, task_queue=QUEUE, session_ttl_s=0)
            await (await agent.start("go", session_id=name)).result()
    async with worker(client, [often], continue_policy=OFTEN):
        agent = DurableAgent("often", client, task_queue=QUEUE, session_ttl_s=0)
        await (await agent.start("go", session_id="often")).result()


async def drained(client: Client) -> None:
    """A run that waits for a person moves from a version of its workers to the next, as `drain` asks it to."""
    provider = ScriptedProvider(calls(("pay", {"amount": 7})), text("paid"))
    old, new = (
        worker(
            client,
            [Agent(provider, tools=[pay], name="payer")],
            deployment_version=WorkerDeploymentVersion(QUEUE, build),
        )
        for build in ("1", "2")
    )
    async with old, new:
        await make_current(client, QUEUE, "1")
        agent = DurableAgent("payer", client, task_queue=QUEUE, session_ttl_s=0)
        run = await agent.start("go", session_id="drained")
        await until(lambda: pauses(run), "the question")
        await make_current(client, QUEUE, "2")
        await drain(client, "1", deployment=QUEUE)
        await run.decide("approve")
        await run.result()
        await closed(client, run.workflow_id)


async def closed(client: Client, workflow_id: str) -> None:
    """Wait until the workflow has ended."""
    handle = client.get_workflow_handle(workflow_id)

    async def over() -> bool:
        return (await handle.describe()).close_time is not None

    await until(over, f"the end of {workflow_id}")


async def pauses(run: Any) -> bool:
    return bool(await run.pending())


SCENES: Final[dict[str, Scene]] = {
    scene.__name__: scene
    for scene in (conversation, tree, teams, expiries, outages, backends, taken_back, local_tools, drained)
}
