"""Whatever a run is doing, it ends when it is told to: with the right status, and with what runs for it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from spine_core import Agent, Message, ModelResponse, Result, State, StopReason, tool
from spine_core.testing import calls, text
from temporalio.client import Client, WorkflowExecutionStatus

from spine_temporal import ActivityPolicy, AgentWorker, DurableAgent, Run
from tests.support.harness import history_of, replay
from tests.support.waiting import until

pytestmark = pytest.mark.durable

POLICY: Final = ActivityPolicy(heartbeat_s=1.0, retry_first_s=1_000.0, retry_longest_s=1_000.0)
OVER: Final = ("hooks at the end", "mirror", "idle")
"""Phases in which the turn has ended already: what it was told stands."""
CUT_OFF: Final = ("model", "tool")
"""Phases in which users' code runs that is worth something; it is cancelled within a heartbeat's time."""
AT_ONCE: Final = ("approval", "idle")
"""Nothing is being done that a stop would wait for."""


@dataclass
class Held:
    """Holds the run in one phase, and knows what was cut off and what was told to the hooks."""

    phase: str
    reached: list[str] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    _go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def at(self, phase: str) -> None:
        if phase != self.phase or self._go_on.is_set():
            return
        self.reached.append(phase)
        try:
            await self._go_on.wait()
        except asyncio.CancelledError:
            self.cut_off.append(phase)
            raise

    def release(self) -> None:
        self._go_on.set()


class Model:
    """Calls the tool of the phase, then answers."""

    def __init__(self, held: Held) -> None:
        self.held = held

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        await self.held.at("model")
        if self.held.phase == "backoff" and not self.held.reached:
            self.held.reached.append("backoff")
            raise ConnectionError("nobody there")
        if messages[-1].role == "tool":
            return text("done")
        name = {"approval": "pay", "hooks of a pause": "pay", "child": "clerk"}.get(self.held.phase, "look")
        return calls((name, {"input": "go"} if name == "clerk" else {}))


class Clerk:
    """The model of the agent below."""

    def __init__(self, held: Held) -> None:
        self.held = held

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        await self.held.at("child")
        return text("done below")


class Hooks:
    """Are told how the run ends."""

    def __init__(self, held: Held) -> None:
        self.held = held

    async def on_run_end(self, state: State, result: Result) -> None:
        paused = result.stopped_reason is StopReason.INTERRUPT
        await self.held.at("hooks of a pause" if paused else "hooks at the end")
        self.held.ended.append(result.stopped_reason)


class Backend:
    """A checkpoint backend of the agent's own."""

    def __init__(self, held: Held) -> None:
        self.held = held

    async def get(self, session_id: str) -> State | None:
        await self.held.at("restore")
        return None

    async def put(self, state: State) -> None:
        await self.held.at("mirror")

    async def delete(self, session_id: str) -> None:
        """Nothing is kept."""


def served(held: Held) -> dict[str, Any]:
    @tool
    async def look() -> str:
        """Look."""
        await held.at("tool")
        return "seen"

    @tool(approve=True)
    async def pay() -> str:
        """Pay."""
        return "paid"

    clerk = Agent(Clerk(held), name="clerk")

    async def boss() -> Agent:
        await held.at("open")
        return Agent(
            Model(held),
            tools=[look, pay, clerk.as_tool(name="clerk", description="A clerk.")],
            middleware=[Hooks(held)],
            checkpoint=Backend(held),
            name="boss",
        )

    return {"boss": boss, "clerk": clerk}


async def ready(held: Held, run: Run) -> None:
    if held.phase == "approval":
        assert (await run.result()).stopped_reason is StopReason.INTERRUPT
    elif held.phase == "idle":
        assert (await run.result()).ok
    else:
        await until(lambda: held.reached != [], f"a run at {held.phase}")


PHASES: Final = (
    "open",
    "restore",
    "model",
    "backoff",
    "tool",
    "child",
    "approval",
    "hooks of a pause",
    "hooks at the end",
    "mirror",
    "idle",
)


type End = Callable[[Client, Run], Awaitable[object]]


async def told(client: Client, phase: str, end: End) -> tuple[Held, Result, WorkflowExecutionStatus | None]:
    """A run that is told to end in that phase; its Result, and what became of its execution."""
    held, queue = Held(phase), uuid.uuid4().hex
    async with AgentWorker(client, agents=served(held), task_queue=queue, step_policy=POLICY, tool_policy=POLICY):
        durable = DurableAgent("boss", client, task_queue=queue, session_ttl_s=600.0 if phase == "idle" else 0.0)
        run = await durable.start("go", session_id=uuid.uuid4().hex)
        await ready(held, run)
        await end(client, run)
        if end is stop and phase not in AT_ONCE:
            held.release()
        await until(lambda: is_over(client, run.workflow_id), "the end of the execution")
        if end is not stop and phase in CUT_OFF:
            await until(lambda: held.cut_off == [phase], "the end of what it was doing")
        held.release()
        result = await durable.get_run(run.id).result()
        below = [each.id async for each in client.list_workflows("") if each.id.startswith(f"{run.workflow_id}/")]
        for workflow_id in below if end is not terminate else []:
            assert await until(lambda child=workflow_id: is_over(client, child), "the end of the agent below")  # type: ignore[misc]
        status = (await client.get_workflow_handle(run.workflow_id).describe()).status
        await replay(await history_of(client, run))
    return held, result, status


async def is_over(client: Client, workflow_id: str) -> bool:
    return (await client.get_workflow_handle(workflow_id).describe()).status is not WorkflowExecutionStatus.RUNNING


async def cancel(_: Client, run: Run) -> None:
    await run.cancel()


async def stop(_: Client, run: Run) -> None:
    await run.stop()


async def terminate(client: Client, run: Run) -> None:
    await client.get_workflow_handle(run.workflow_id).terminate()


@pytest.mark.parametrize("phase", PHASES)
async def test_a_cancelled_run_is_over_at_once(client: Client, phase: str) -> None:
    held, result, status = await told(client, phase, cancel)

    assert status is WorkflowExecutionStatus.CANCELED
    assert result.stopped_reason is (StopReason.FINAL if phase in OVER else StopReason.CANCELLED)
    if phase in ("model", "backoff", "tool", "child", "approval"):
        assert held.ended[-1] == StopReason.CANCELLED


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "backoff"])
async def test_a_stopped_run_is_over_at_its_next_boundary(client: Client, phase: str) -> None:
    held, result, status = await told(client, phase, stop)

    assert held.cut_off == []
    assert status is WorkflowExecutionStatus.COMPLETED
    assert result.stopped_reason is (StopReason.FINAL if phase in OVER else StopReason.CANCELLED)


@pytest.mark.parametrize("phase", PHASES)
async def test_a_terminated_run_is_told_as_one(client: Client, phase: str) -> None:
    _, result, status = await told(client, phase, terminate)

    assert status is WorkflowExecutionStatus.TERMINATED
    if phase == "idle":
        assert result.ok
    elif phase not in OVER:
        assert (result.stopped_reason, "terminated" in str(result.error)) == (StopReason.ERROR, True)
