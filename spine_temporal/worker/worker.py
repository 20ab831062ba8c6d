"""A worker for agents."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Collection, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, Worker, WorkerDeploymentConfig

from spine_temporal.agents.policies import Policies
from spine_temporal.agents.registry import Agents
from spine_temporal.connection.worker_converter import worker_client
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import CACHE_WAIT_S, ContinuePolicy
from spine_temporal.given import check_name, check_seconds, check_type
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.worker.build_id import build_id
from spine_temporal.worker.fatal_error import FatalError
from spine_temporal.worker.plugin import DEFAULT_CACHE_BYTES, DEFAULT_TELEMETRY, SpinePlugin

# What the model writes rides on heartbeats; without that they come a fifth of their timeout apart.
_BEAT_AT_MOST_EVERY_S: Final = 0.1
_POLLERS: Final = ("workflow_task_poller_behavior", "activity_task_poller_behavior")


class AgentWorker:
    """Runs agents: polls `task_queue` of the server that `client` is connected to.

    `agents` is a list of agents with names, or a dict of name to agent, team (`Sequential`, `Handoff`) or (async)
    factory. Use it as an async context manager, or call `run`. `step_policy` and `tool_policy` set time limits and
    attempts, for all agents or, in a dict, for each by its name; `continue_policy` says when a long run continues as a
    new execution of its workflow, `search_attributes` whether the server has what `spine-temporal init` creates (None
    asks it); `allowed_plugins` names the distributions whose spine plugins the agents may use (None: any);
    `telemetry` says what spans hold, and where they go; `cache_bytes` bounds the memory for States of running runs, 0
    keeps none; `tools_only` makes it run nothing but calls of the tools that `@durable(task_queue=...)` routes to this
    queue; `poller_autoscaling` lets the server's hints say how many polls are open at once. `longest_activity_s` is how
    long such a worker lives (in a function of a cloud, say): no step or tool call gets more time, and a call of a tool
    whose own `@durable(timeout_s=...)` is longer is refused, unless the tool has a task queue of its own: the model
    reads why, and the queue `longer_activities_task_queue` that it belongs on. When it stops, what is in flight gets
    `graceful_shutdown_s` to finish; then other workers take it over at once. With a `deployment_version` it is a
    versioned worker, which gets nothing until somebody makes that version current or ramps it: runs stay on their
    version until they continue as new (see the page on rollouts). Further keywords go to `temporalio.worker.Worker`.

    Raises:
        UnnamedAgent: an agent in the list has no name.
        DuplicateAgent: two agents have one name.
        UnknownAgent: a policy is for an agent that is not among them.
        AgentBroken: an agent cannot run durably as it is configured.
        PluginUnusable: an agent uses a plugin that is not allowed, or does not fit the kernel.
        BadInput: an option is not what it should be; or there is a `longer_activities_task_queue` without a
            `longest_activity_s`.
    """

    def __init__(
        self,
        client: Client,
        *,
        agents: Agents,
        task_queue: str = names.DEFAULT_TASK_QUEUE,
        step_policy: Policies | None = None,
        tool_policy: Policies | None = None,
        continue_policy: ContinuePolicy | None = None,
        search_attributes: bool | None = None,
        allowed_plugins: Collection[str] | None = None,
        telemetry: Telemetry = DEFAULT_TELEMETRY,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        tools_only: bool = False,
        poller_autoscaling: bool = False,
        longest_activity_s: float | None = None,
        longer_activities_task_queue: str | None = None,
        graceful_shutdown_s: float = 0.0,
        deployment_version: WorkerDeploymentVersion | None = None,
        **worker_options: Any,
    ) -> None:
        check_name("task_queue", task_queue)
        check_seconds("graceful_shutdown_s", graceful_shutdown_s, zero="hands over what is in flight at once")
        check_type(
            "deployment_version",
            deployment_version,
            WorkerDeploymentVersion | None,
            "a WorkerDeploymentVersion, or None",
        )
        self.plugin = SpinePlugin(
            agents,
            step_policy=step_policy,
            tool_policy=tool_policy,
            continue_policy=continue_policy,
            search_attributes=search_attributes,
            allowed_plugins=allowed_plugins,
            telemetry=telemetry,
            cache_bytes=cache_bytes,
            tools_only=tools_only,
            longest_activity_s=longest_activity_s,
            longer_activities_task_queue=longer_activities_task_queue,
        )
        self.task_queue = task_queue
        defaults: dict[str, Any] = {
            "sticky_queue_schedule_to_start_timeout": timedelta(seconds=CACHE_WAIT_S),
            "max_heartbeat_throttle_interval": timedelta(seconds=_BEAT_AT_MOST_EVERY_S),
            "graceful_shutdown_timeout": timedelta(seconds=graceful_shutdown_s),
        }
        if poller_autoscaling:
            defaults |= dict.fromkeys(_POLLERS, PollerBehaviorAutoscaling())
        if deployment_version is not None:
            defaults["deployment_config"] = _versioned(deployment_version)
        elif not worker_options.keys() & {"build_id", "deployment_config", "use_worker_versioning"}:
            defaults["build_id"] = build_id()
        self.deployment_version = deployment_version
        self._started = False
        self.fatal_error = FatalError(graceful_shutdown_s, worker_options.get("on_fatal_error"))
        worker_options["on_fatal_error"] = self.fatal_error
        plugins = [*worker_options.pop("plugins", ()), self.plugin]
        self._worker = Worker(client, task_queue=task_queue, plugins=plugins, **(defaults | worker_options))

    @property
    def agents(self) -> list[str]:
        """The names of the agents it serves."""
        return self.plugin.agents.names

    @property
    def has_stopped(self) -> bool:
        """It was started, and has come to its end, or cannot go on."""
        return self._worker.is_shutdown or self.fatal_error.error is not None

    @property
    def client(self) -> Client:
        """What it is connected by. With another one, of the same runtime, it goes on by that from its next call on."""
        return self._worker.client

    @client.setter
    def client(self, client: Client) -> None:
        self._worker.client = worker_client(client)

    async def run(self) -> None:
        """Work until the task that awaits this is cancelled, as Ctrl-C does, or the process gets a SIGTERM of its own.

        SIGTERM is heeded where nobody else does: in the main thread, if it has no handler yet, and until it gets
        another one. The worker then stops in good order and the program goes on after this call; a second one ends the
        process at once. A process that is nothing but a worker ends more reliably by `run_worker_process` (see the
        page on operations).

        Raises:
            RuntimeError: it was started before.
            Exception: the worker cannot go on, for instance because it may not poll.
        """
        self._start()
        with _sigterm() as stopped:
            working = asyncio.create_task(self._worker.run())
            waiting = asyncio.create_task(stopped.wait())
            try:
                await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not working.done():
                    await self._worker.shutdown()
                await working
            except asyncio.CancelledError:
                # Cancelled, the SDK's worker shuts down in good order; it must be given the time.
                working.cancel()
                await asyncio.wait({working})
                raise
            finally:
                waiting.cancel()

    async def __aenter__(self) -> Self:
        self._start()
        await self._worker.__aenter__()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._worker.__aexit__(type_, value, traceback)

    def _start(self) -> None:
        # The SDK's worker does not survive a second start at the same time.
        if self._started:
            raise RuntimeError("this worker was started before, and works once: make another AgentWorker")
        self._started = True


def _versioned(version: WorkerDeploymentVersion) -> WorkerDeploymentConfig:
    # Our own workflows say how they are versioned; this is for those that a user registers beside them.
    return WorkerDeploymentConfig(
        version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )


@contextlib.contextmanager
def _sigterm() -> Iterator[asyncio.Event]:
    """An event that SIGTERM sets, if nobody else has a handler for it: a host's own handlers stay what they are."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield stopped
        return

    def stop() -> None:
        stopped.set()
        loop.remove_signal_handler(signal.SIGTERM)

    loop.add_signal_handler(signal.SIGTERM, stop)
    ours = signal.getsignal(signal.SIGTERM)
    try:
        yield stopped
    finally:
        if signal.getsignal(signal.SIGTERM) is ours:
            loop.remove_signal_handler(signal.SIGTERM)
