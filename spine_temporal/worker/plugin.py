"""Agents on a Worker of one's own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Final
from weakref import WeakSet

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import FixedSizeSlotSupplier, ReplayerConfig, Worker, WorkerConfig, WorkerTuner

from spine_temporal.activities.registered import AgentActivities
from spine_temporal.activities.sealed_log import seal_the_sdks_log
from spine_temporal.activities.watchdog import Watchdog, watching
from spine_temporal.agents.longest import lifetime
from spine_temporal.agents.policies import Policies, checked
from spine_temporal.agents.registry import AgentRegistry, Agents
from spine_temporal.connection.meter import meter_of
from spine_temporal.connection.worker_converter import worker_client
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput
from spine_temporal.given import check_bytes, check_type
from spine_temporal.plugins.loader import let_the_kernel_find_plugins
from spine_temporal.telemetry.metrics import Metrics
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.worker.activity_slots import ActivitySlots
from spine_temporal.worker.gate_activity import GateActivity
from spine_temporal.worker.sandbox import for_client, sandbox
from spine_temporal.worker.workflow_executor import WorkflowExecutor
from spine_temporal.worker.workflows import WORKFLOWS, versioned

# On import: an agent made before its worker has no other way to a provider whose entry point has another name.
let_the_kernel_find_plugins()
seal_the_sdks_log()

DEFAULT_CACHE_BYTES: Final = 256 * 1024 * 1024
DEFAULT_TELEMETRY: Final = Telemetry()
# The SDK's own default, of each kind.
_SLOTS: Final = 100
_THREADS_NAME: Final = "temporal_workflow_"
_COUNTS: Final = {
    "workflow_supplier": "max_concurrent_workflow_tasks",
    "activity_supplier": "max_concurrent_activities",
    "local_activity_supplier": "max_concurrent_local_activities",
    "nexus_supplier": "max_concurrent_nexus_tasks",
}


class SpinePlugin(SimplePlugin):
    """Adds agents to a Worker that has workflows and activities of its own.

    Give it to the worker: `Worker(client, task_queue=..., workflows=[...], plugins=[SpinePlugin([agent])])`. It brings
    the workflow `spine.agent` and its activities, passes the kernel's data models through the sandbox, and leaves
    every other setting as it is. Workflows on that worker may then call `spine_temporal.workflow.run_agent`.

    `agents` is a list of named agents, or a dict of name to agent or (async) factory. `cache_bytes` bounds the memory
    for States of running runs; 0 keeps none and every activity reads the history. `search_attributes` says whether the
    server has what `spine-temporal init` creates; None asks it. `allowed_plugins` names the distributions whose
    spine plugins the agents may use; None: any. `tools_only` leaves workflows and steps to others: it runs calls of
    tools that are routed to the worker's task queue. `telemetry`, `step_policy`, `tool_policy`, `longest_activity_s`
    and `longer_activities_task_queue` are as `AgentWorker` has them.
    """

    def __init__(
        self,
        agents: Agents,
        *,
        step_policy: Policies | None = None,
        tool_policy: Policies | None = None,
        continue_policy: ContinuePolicy | None = None,
        search_attributes: bool | None = None,
        allowed_plugins: Collection[str] | None = None,
        telemetry: Telemetry = DEFAULT_TELEMETRY,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        tools_only: bool = False,
        longest_activity_s: float | None = None,
        longer_activities_task_queue: str | None = None,
    ) -> None:
        check_type("continue_policy", continue_policy, ContinuePolicy | None, "a ContinuePolicy, or None")
        check_type("search_attributes", search_attributes, bool | None, "True, False or None")
        check_type("telemetry", telemetry, Telemetry, "a Telemetry")
        check_type("tools_only", tools_only, bool, "True or False")
        check_bytes("cache_bytes", cache_bytes, zero="keeps none")
        self._watchdog: Watchdog | None = None
        self._slots: ActivitySlots | None = None
        self._tools_only = tools_only
        self._waiting: AbstractAsyncContextManager[object] = nullcontext()
        self._threads = WeakSet[ThreadPoolExecutor]()
        self.agents = AgentRegistry(agents, allowed_plugins=allowed_plugins)
        self.activities_of_agents = AgentActivities(
            self.agents,
            step_policy=checked("step_policy", step_policy, self.agents.names),
            tool_policy=checked("tool_policy", tool_policy, self.agents.names),
            continuing=continue_policy or ContinuePolicy(),
            search_attributes=search_attributes,
            telemetry=telemetry,
            cache_bytes=cache_bytes,
            lifetime=lifetime(longest_activity_s, longer_activities_task_queue),
        )
        ours = self.activities_of_agents
        super().__init__(
            "spine-temporal",
            workflows=[] if tools_only else list(WORKFLOWS),
            activities=[ours.tool] if tools_only else [*ours.all, GateActivity(self.agents).run],
            workflow_runner=sandbox,
            run_context=self._meanwhile,
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Add what agents need to a worker's settings; called by the SDK.

        Raises:
            BadInput: another plugin has added its agents before: a worker, or its client, has two of them.
        """
        if any(isinstance(getattr(each, "__self__", None), AgentActivities) for each in config.get("activities", ())):
            raise BadInput(
                f"the worker has two plugins for agents, this one with {', '.join(self.agents.names) or 'none'}: give "
                "all agents to one; a client's plugins are its workers' as well"
            )
        config = super().configure_worker(config)
        config["workflows"] = versioned(config)
        self.activities_of_agents.grace_s = config.get("graceful_shutdown_timeout", timedelta()).total_seconds()
        if "client" in config:
            self._meter(config["client"], config.get("task_queue", ""))
            if "workflow_runner" in config:
                config["workflow_runner"] = for_client(config["workflow_runner"], config["client"].data_converter)
            config["client"] = worker_client(config["client"])
        if config.get("tuner") is None:
            counts = {kind: config.pop(name, None) or _SLOTS for kind, name in _COUNTS.items()}  # type: ignore[misc]
            if config.get("workflow_task_executor") is None:
                # The SDK reads the size of its own off what went into the tuner, and finding nothing makes it 500.
                threads = WorkflowExecutor(counts["workflow_supplier"], _THREADS_NAME)
                config["workflow_task_executor"] = threads
                self._threads.add(threads)
            self._slots = ActivitySlots(counts.pop("activity_supplier"))
            others = {kind: FixedSizeSlotSupplier(count) for kind, count in counts.items()}
            config["tuner"] = WorkerTuner.create_composite(activity_supplier=self._slots, **others)
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Add what a replay of agents' runs needs; called by the SDK."""
        config = super().configure_replayer(config)
        converter = config.get("data_converter") or DataConverter.default
        if "workflow_runner" in config:
            config["workflow_runner"] = for_client(config["workflow_runner"], converter)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run a worker until it is stopped; called by the SDK."""
        try:
            await super().run_worker(worker, next)
        finally:
            threads = worker.config(active_config=True).get("workflow_task_executor")
            if threads is not None and threads in self._threads:
                threads.shutdown(wait=False)

    @asynccontextmanager
    async def _meanwhile(self) -> AsyncIterator[None]:
        lending = self._slots.current() if self._slots is not None else nullcontext()
        with lending:
            async with watching() as self._watchdog, self._waiting:
                try:
                    yield
                finally:
                    await self.agents.aclose()

    def _meter(self, client: Client, task_queue: str) -> None:
        meter = meter_of(client)
        if meter is MetricMeter.noop:
            return
        # Most workers have no metrics, and start without this.
        from spine_temporal.worker.waiting_approvals import WaitingApprovals

        # The SDK gives its own metrics the same labels.
        meter = meter.with_additional_attributes({"namespace": client.namespace, "task_queue": task_queue})
        self.activities_of_agents.metrics = Metrics(meter)
        if self._tools_only:
            return
        self._waiting = WaitingApprovals(client, self.agents.names, meter)

    def loop_age_s(self) -> float:
        """Seconds since the worker's event loop is known to have turned: under a second while it does.

        Any thread may ask; a liveness probe should. It is 0 while the worker does not run.
        """
        return self._watchdog.loop_age_s() if self._watchdog is not None else 0.0

    def has_polled(self) -> bool:
        """Whether the worker has begun to poll for activities, as far as it knows. Any thread may ask."""
        # With a tuner of the user's own, who polls when is not known here.
        return self._slots.asked if self._slots is not None else self._watchdog is not None
