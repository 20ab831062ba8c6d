"""The gate before a rollout: whether this version can go on with what others have begun."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from spine_core import Agent, Message, ModelResponse, ToolCall, tool
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.run import Run
from spine_temporal.client.status import is_open, published_status
from spine_temporal.connection.visibility import equals, list_pages
from spine_temporal.contracts import names
from spine_temporal.contracts.gate import GateReport
from spine_temporal.errors import SpineTemporalError, UnknownAgent
from spine_temporal.format import shortened
from spine_temporal.worker.replay import replay
from spine_temporal.worker.worker import AgentWorker
from spine_temporal.worker.workflows import OURS

_TURN_S: Final = 60.0
_ANSWER: Final = "the gate is open"
# Each is a sentence; the failure of a workflow holds them all.
_MOST_PROBLEMS: Final = 20
_WIDEST: Final = 500

type Beat = Callable[[], None]


async def gate(
    client: Client, agents: AgentRegistry, task_queue: str, *, histories: int, beat: Beat = lambda: None
) -> GateReport:
    """Build every agent, replay the latest `histories` of the task queue, have a scripted agent take one turn.

    The turn is a run like any other, on a task queue of its own, with a model that is no model: it needs no key.

    Raises:
        temporalio.service.RPCError: the server refuses.
    """
    built, problems = await build_all(agents)
    beat()
    replayed = 0
    async for source, history, agent in _latest(client, task_queue, histories):
        if (missing := await _missing(agents, agent)) is not None:
            problems.append(f"run {history.workflow_id} is open, and {missing}")
        problems += await replay_problems([(source, history)], client.data_converter)
        replayed += 1
        beat()
    if (failed := await _turn(client)) is not None:
        problems.append(failed)
    return _report(built, replayed, problems)


async def gate_files(
    agents: AgentRegistry, files: Iterable[tuple[str, WorkflowHistory]], converter: DataConverter
) -> GateReport:
    """The same without a server: the histories are those in `files`, the turn is taken on the kernel alone."""
    built, problems = await build_all(agents)
    files = list(files)
    problems += await replay_problems(files, converter)
    result = await _scripted().run("go")
    if result.answer != _ANSWER:
        problems.append(f"the scripted turn ended with {result.stopped_reason}: {result.error or result.answer}")
    return _report(built, len(files), problems)


async def build_all(agents: AgentRegistry) -> tuple[list[str], list[str]]:
    """The names of the agents that can be built here; for each other one, why not."""
    built, problems = list[str](), list[str]()
    for name in agents.names:
        try:
            await agents.find(name)
        except SpineTemporalError as error:
            problems.append(f"agent {name!r} cannot be built: {error}")
        else:
            built.append(name)
    return built, problems


async def replay_problems(histories: Iterable[tuple[str, WorkflowHistory]], converter: DataConverter) -> list[str]:
    """For each history that the workflows installed here cannot go on with, which one, where and why."""
    problems = list[str]()
    for source, history in histories:
        replayed = await replay(source, history, converter)
        if replayed.problem is not None:
            at = f" at event {replayed.event_id}" if replayed.event_id is not None else ""
            which = f"{replayed.type} {replayed.workflow_id} (run id {replayed.run_id})"
            problems.append(f"{which} does not replay{at}: {replayed.problem}")
    return problems


def _report(built: list[str], replayed: int, problems: list[str]) -> GateReport:
    shown = [shortened(each, _WIDEST) for each in problems[:_MOST_PROBLEMS]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return GateReport(agents=tuple(built), replayed=replayed, problems=tuple(shown))


async def _latest(client: Client, task_queue: str, most: int) -> AsyncIterator[tuple[str, WorkflowHistory, str | None]]:
    """Histories of the task queue, those of open workflows first; with the agent of each that is open."""
    types = " OR ".join(f"WorkflowType = '{each}'" for each in sorted(OURS - {names.GATE_WORKFLOW}))
    queue = equals("TaskQueue", task_queue)
    if queue is None:
        return
    for status in ("=", "!="):
        query = f"{queue} AND ({types}) AND ExecutionStatus {status} 'Running'"
        async for page in list_pages(client, query, min(most, 50)):
            for info in page:
                if most <= 0:
                    return
                most -= 1
                published = await published_status(info, client.data_converter) if is_open(info) else None
                handle = client.get_workflow_handle(info.execution.workflow_id, run_id=info.execution.run_id)
                try:
                    history = await handle.fetch_history()
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                    # Its retention has ended since it was listed.
                    continue
                yield client.namespace, history, published.agent if published is not None else None


async def _missing(agents: AgentRegistry, agent: str | None) -> str | None:
    """That a run could not go on without this agent, which is not here; None: it is here, or the run is closed."""
    if agent is None:
        return None
    try:
        await agents.find(agent)
    except UnknownAgent as error:
        return str(error)
    except SpineTemporalError:
        # It is among those that cannot be built.
        return None
    return None


class _Script:
    """A model that calls the tool once, then answers."""

    costs_nothing: Final = True

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:  # noqa: ARG002
        if messages[-1].role == "tool":
            return ModelResponse(message=Message.assistant(str(messages[-1].content)))
        return ModelResponse(message=Message.assistant(None, [ToolCall(id="1", name="answer", arguments={})]))


def _scripted() -> Agent:
    @tool
    async def answer() -> str:
        """Answer."""
        return _ANSWER

    return Agent(_Script(), tools=[answer], name="gate")


@asynccontextmanager
async def _ended(client: Client, run: Run) -> AsyncIterator[None]:
    """A turn that is not waited for must not stay open: no other worker ever polls its task queue."""
    try:
        yield
    except BaseException:
        with suppress(RPCError):
            await client.get_workflow_handle(run.workflow_id).terminate("the gate did not wait for it")
        raise


async def _turn(client: Client) -> str | None:
    """Why a scripted turn did not end as it should; None: it did, and its history replays."""
    task_queue = f"spine-gate-{uuid.uuid4().hex}"
    try:
        async with asyncio.timeout(_TURN_S), AgentWorker(client, agents=[_scripted()], task_queue=task_queue):
            run = await DurableAgent("gate", client, task_queue=task_queue).start("go")
            async with _ended(client, run):
                result = await run.result()
    except TimeoutError:
        return f"the scripted turn did not end within {_TURN_S:.0f} s"
    except SpineTemporalError as error:
        return f"the scripted turn failed: {error}"
    if result.answer != _ANSWER:
        return f"the scripted turn ended with {result.stopped_reason}: {result.error or result.answer}"
    history = await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()
    found = await replay_problems([(client.namespace, history)], client.data_converter)
    return found[0] if found else None
