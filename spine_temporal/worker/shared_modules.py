"""The modules of our workflows in the sandbox: executed once in a worker, not for each run.

A run of ours keeps nothing in a module, as a test of the package makes sure; so no run can meet another there. Executed
anew, they are half of what a short run costs a worker, and most of what a waiting run holds in memory.
"""

import functools
import inspect
import threading
from types import CodeType
from typing import Final

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.worker.workflow_sandbox._runner import _Instance

_PACKAGE: Final = "spine_temporal.workflow."

if [*inspect.signature(_Instance).parameters] != ["instance_details", "runner_class", "restrictions"]:
    raise ImportError("this SDK builds the instances of its sandbox otherwise")


def is_ours(details: WorkflowInstanceDetails) -> bool:
    """Whether the workflow is one of this package."""
    return details.defn.cls.__module__.startswith(_PACKAGE)


class SharedModules:
    """The sandbox's modules, for all instances of one worker."""

    def __init__(self, restrictions: SandboxRestrictions, runner_class: type[WorkflowRunner]) -> None:
        self._importer = Importer(restrictions, _ContextOfThread())
        self._restrictions = restrictions
        self._runner_class = runner_class

    def create_instance(self, details: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make the instance of one execution."""
        return _SharingInstance(details, self._runner_class, self._restrictions, self._importer)


class _ContextOfThread(RestrictionContext):
    """Restricts the thread that runs a workflow, and no other: several run at once, and one may be importing."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        super().__init__()

    @property
    def is_runtime(self) -> bool:
        return bool(getattr(self._of_thread, "is_runtime", False))

    @is_runtime.setter
    def is_runtime(self, value: bool) -> None:
        self._of_thread.is_runtime = value

    @property
    def in_activation(self) -> bool:
        return bool(getattr(self._of_thread, "in_activation", False))

    @in_activation.setter
    def in_activation(self, value: bool) -> None:
        self._of_thread.in_activation = value


class _SharingInstance(_Instance):
    def __init__(
        self,
        instance_details: WorkflowInstanceDetails,
        runner_class: type[WorkflowRunner],
        restrictions: SandboxRestrictions,
        importer: Importer,
    ) -> None:
        self._shared = importer
        # Interceptors are users' code, which may block.
        self.runs_in_loop = not instance_details.interceptor_classes
        super().__init__(instance_details, runner_class, restrictions)

    def _create_instance(self) -> None:
        # In place of the one that the SDK has just made, which has executed nothing yet.
        self.importer = self._shared
        super()._create_instance()

    def _run_code(self, code: str, **extra_globals: object) -> None:
        # The SDK compiles the same two lines for each activation.
        super()._run_code(_compiled(code), **extra_globals)  # type: ignore[arg-type]


@functools.cache
def _compiled(code: str) -> CodeType:
    return compile(code, "<workflow sandbox>", "exec")
