"""Workflow tasks of agents are carried out in the worker's event loop, all others in threads."""

import asyncio
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import ContextVar
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInstance,
    WorkflowInterceptorClassInput,
)

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.worker.workflow_executor import WorkflowExecutor
from tests.rooms.worker.own_workflow import Greeting
from tests.support.agents_at_hand import adding_agent

_hint: ContextVar[str] = ContextVar("hint", default="none")


class Instance(WorkflowInstance):
    """One whose code does not block; nothing of the SDK is in it."""

    runs_in_loop = True

    activate = get_info = get_thread_id = get_serialization_context = get_external_store_context = None  # type: ignore


class Running:
    """As the SDK has it: the instance, and the work that is to be done with it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.instance = Instance()
        self._work = work

    def activate(self) -> Any:
        return self._work()


async def carried_out(work: Callable[[], Any]) -> Any:
    with WorkflowExecutor(1) as executor:
        return await asyncio.get_running_loop().run_in_executor(executor, Running(work).activate)


async def test_the_thread_is_the_loops_own() -> None:
    assert await carried_out(threading.get_ident) == threading.get_ident()


async def test_it_is_over_before_anything_else_has_its_turn() -> None:
    turns = list[str]()
    asyncio.get_running_loop().call_soon(turns.append, "another's")

    await carried_out(lambda: turns.append("the workflow's"))
    turns.append("whoever awaits it")

    assert turns == ["the workflow's", "whoever awaits it"]


async def test_it_sees_nothing_of_the_loop_that_it_runs_in() -> None:
    def look() -> tuple[object, ...]:
        return asyncio._get_running_loop(), _hint.get(), *sys.get_asyncgen_hooks()

    token = _hint.set("ours")
    try:
        assert await carried_out(look) == (None, "none", None, None)
    finally:
        _hint.reset(token)


async def test_a_loop_of_its_own_can_run_tasks_there_and_ours_goes_on_as_before() -> None:
    async def named() -> str:
        task = asyncio.current_task()
        return task.get_name() if task is not None else ""

    def run() -> str:
        with closing(asyncio.new_event_loop()) as own:
            return own.run_until_complete(named())

    loop, task, hooks = asyncio.get_running_loop(), asyncio.current_task(), sys.get_asyncgen_hooks()

    assert (await carried_out(run)).startswith("Task-")
    assert (asyncio.get_running_loop(), asyncio.current_task(), sys.get_asyncgen_hooks()) == (loop, task, hooks)


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError("no"), GeneratorExit("no")], ids=repr)
async def test_what_it_raises_is_raised_where_it_is_awaited(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with WorkflowExecutor(1) as executor:
        future = executor.submit(Running(fail).activate)
        with pytest.raises(type(error), match="no"):
            await asyncio.wrap_future(future)


async def test_an_interrupt_of_the_process_passes() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with WorkflowExecutor(1) as executor, pytest.raises(KeyboardInterrupt):
        executor.submit(Running(interrupt).activate)
    assert asyncio.current_task() is not None


async def test_other_work_has_a_thread() -> None:
    with WorkflowExecutor(1) as executor:
        there = await asyncio.get_running_loop().run_in_executor(executor, threading.get_ident)

    assert there != threading.get_ident()


class Onlooker(Interceptor):
    """Users' code around each workflow."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return Watching


class Watching(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await super().execute_workflow(input)


def threads_of(worker: AgentWorker) -> int:
    executor: Any = worker._worker.config(active_config=True)["workflow_task_executor"]
    assert isinstance(executor, ThreadPoolExecutor)
    return len(executor._threads)


@pytest.mark.durable
async def test_a_worker_of_agents_takes_a_thread_for_a_projects_own_workflows_alone(client: Client) -> None:
    queue = f"executor-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue, workflows=[Greeting]) as worker:
        assert (await DurableAgent("assistant", client, task_queue=queue).run("1 + 2?")).answer == "3"
        before = threads_of(worker)

        assert await client.execute_workflow("greeting", id=queue, task_queue=queue) == "hello"

        assert (before, threads_of(worker)) == (0, 1)


@pytest.mark.durable
async def test_where_interceptors_of_a_project_are_around_them_agents_have_threads_too(client: Client) -> None:
    queue = f"executor-{uuid.uuid4().hex}"
    interceptors = [Onlooker()]
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue, interceptors=interceptors) as worker:
        assert (await DurableAgent("assistant", client, task_queue=queue).run("1 + 2?")).answer == "3"

        assert threads_of(worker) > 0
