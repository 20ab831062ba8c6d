"""Workflows of ours share their modules in a worker's sandbox; they are restricted all the same."""

import asyncio
import threading
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.worker import WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError
from temporalio.worker.workflow_sandbox._runner import _fake_info, _Instance

from spine_temporal.worker import sandbox as sandbox_module
from spine_temporal.worker.sandbox import AgentSandbox, sandbox
from spine_temporal.workflow.agent import AgentWorkflow
from spine_temporal.workflow.shared.rate import RateWorkflow

_READS_THE_CLOCK = "with importer.applied():\n    from time import time\n    now = time()\n"


@workflow.defn
class ProjectsOwn:
    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


async def instance_of(runner: AgentSandbox, cls: type) -> _Instance:
    instance = runner.create_instance(
        WorkflowInstanceDetails(
            payload_converter_factory=DataConverter.default._new_payload_converter,
            failure_converter_class=DataConverter.default.failure_converter_class,
            interceptor_classes=[],
            defn=workflow._Definition.must_from_class(cls),
            info=_fake_info,
            randomness_seed=1,
            extern_functions={},
            disable_eager_activity_execution=False,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=Failure(),
        )
    )
    assert isinstance(instance, _Instance)
    return instance


def made() -> AgentSandbox:
    runner = sandbox(None)
    assert isinstance(runner, AgentSandbox)
    return runner


def module_in(instance: _Instance, name: str) -> Any:
    return instance.importer.new_modules[name]


async def test_runs_of_one_worker_share_what_their_sandbox_has_executed() -> None:
    runner, name = made(), "spine_temporal.workflow.session"

    first, second = await instance_of(runner, AgentWorkflow), await instance_of(runner, AgentWorkflow)
    other_type, other_worker = await instance_of(runner, RateWorkflow), await instance_of(made(), AgentWorkflow)

    assert module_in(first, name) is module_in(second, name) is module_in(other_type, name)
    assert module_in(first, name) is not module_in(other_worker, name)


async def test_what_they_share_is_the_sandboxes_own() -> None:
    shared = module_in(await instance_of(made(), AgentWorkflow), "spine_temporal.workflow.agent")

    assert shared.AgentWorkflow is not AgentWorkflow


async def test_a_projects_own_workflow_has_its_modules_for_itself() -> None:
    runner = made()

    first, second = await instance_of(runner, ProjectsOwn), await instance_of(runner, ProjectsOwn)

    assert module_in(first, __name__) is not module_in(second, __name__)


async def test_an_sdk_that_is_built_otherwise_gives_each_run_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "SharedModules", None)
    runner, name = made(), "spine_temporal.workflow.session"

    first, second = await instance_of(runner, AgentWorkflow), await instance_of(runner, AgentWorkflow)

    assert module_in(first, name) is not module_in(second, name)


async def test_the_clock_is_refused_to_the_thread_that_runs_a_workflow_and_to_no_other() -> None:
    importer = (await instance_of(made(), AgentWorkflow)).importer
    runs, imported = threading.Event(), threading.Event()
    refusals = list[str]()

    def run() -> None:
        importer.restriction_context.is_runtime = True
        runs.set()
        imported.wait()
        try:
            exec(_READS_THE_CLOCK, {"importer": importer})
        except RestrictedWorkflowAccessError as error:
            refusals.append(error.qualified_name)
        finally:
            importer.restriction_context.is_runtime = False

    def load() -> None:
        runs.wait()
        try:
            exec(_READS_THE_CLOCK, {"importer": importer})
        finally:
            imported.set()

    await asyncio.gather(asyncio.to_thread(run), asyncio.to_thread(load))

    assert refusals == ["time.time.__call__"]
