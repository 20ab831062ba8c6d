"""The sandbox that workflows are replayed in."""

import dataclasses
from typing import Final

from temporalio.converter import DataConverter, StorageDriverStoreContext, WithSerializationContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from spine_temporal.worker.module_code import keep_code

try:
    from spine_temporal.worker.shared_modules import SharedModules, is_ours
except ImportError:
    # Of an SDK whose sandbox is built otherwise: then each run has modules of its own, as in the SDK's.
    SharedModules = None  # type: ignore[assignment,misc]

# By list, never `spine_temporal` whole: what is passed through escapes the sandbox's check for clocks and randomness.
# The journal has neither, by its walls; executed anew for every run it would take longer than the run.
_PASSED_THROUGH: Final = (
    "annotated_types",
    "anyio",
    "jsonschema",
    "pydantic",
    "pydantic_core",
    "referencing",
    "rpds",
    "spine_core",
    "spine_temporal.contracts",
    "spine_temporal.errors",
    "spine_temporal.journal",
    "spine_temporal.payloads",
    "typing_inspection",
)

_NOWHERE: Final = StorageDriverStoreContext(target=None)


@dataclasses.dataclass(frozen=True)
class AgentSandbox(SandboxedWorkflowRunner):
    """The SDK's sandbox, in which workflows of ours share their modules; a project's own have theirs for each run."""

    _modules: "list[SharedModules]" = dataclasses.field(default_factory=list, init=False, repr=False, compare=False)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make the instance of one execution."""
        if SharedModules is None or not is_ours(det):
            return super().create_instance(det)
        if not self._modules:
            self._modules.append(SharedModules(self.restrictions, self.runner_class))
        return self._modules[0].create_instance(det)


@dataclasses.dataclass(frozen=True)
class LeanSandbox(AgentSandbox):
    """One that does not enter a workflow to ask where each of its payloads belongs.

    The SDK asks three times for a payload that comes and four times for one that goes, for the sake of codecs and of
    external storage that want to know; each time it enters the sandbox anew (measured: 22 times a step, a fifth of a
    worker's CPU).
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make the instance of one execution."""
        instance = super().create_instance(det)
        # On the instance: a class around it would have to know every method that the SDK will ever ask for.
        instance.get_serialization_context = _no_context  # type: ignore[method-assign]
        instance.get_external_store_context = _nowhere  # type: ignore[method-assign]
        return instance


def _no_context(command_info: object) -> None:  # noqa: ARG001 - the SDK's signature
    return None


def _nowhere(command_info: object) -> StorageDriverStoreContext:  # noqa: ARG001 - the SDK's signature
    return _NOWHERE


def sandbox(runner: WorkflowRunner | None) -> WorkflowRunner:
    """`runner`, or the SDK's own, with what need not be executed anew for every run passed through."""
    if runner is None:
        runner = SandboxedWorkflowRunner()
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    keep_code()
    restrictions = runner.restrictions.with_passthrough_modules(*_PASSED_THROUGH)
    if type(runner) is SandboxedWorkflowRunner:
        return AgentSandbox(restrictions, runner.runner_class)
    return dataclasses.replace(runner, restrictions=restrictions)


def for_client(runner: WorkflowRunner, converter: DataConverter) -> WorkflowRunner:
    """A lean sandbox for a client whose payloads look the same wherever they belong; else `runner` as it is."""
    contextual = isinstance(converter.payload_codec, WithSerializationContext) or converter.external_storage is not None
    if contextual or type(runner) is not AgentSandbox:
        return runner
    return LeanSandbox(runner.restrictions, runner.runner_class)
