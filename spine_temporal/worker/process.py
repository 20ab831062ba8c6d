"""A whole process that is a worker."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.connection.connect import connect
from spine_temporal.connection.credentials import renewed
from spine_temporal.connection.settings import deployment_version
from spine_temporal.contracts import names
from spine_temporal.errors import BadInput
from spine_temporal.plugins.project import load_project
from spine_temporal.telemetry.core_log import CORE_LOGGING
from spine_temporal.telemetry.logs import mark_lines
from spine_temporal.telemetry.metrics_runtime import metrics_runtime
from spine_temporal.worker.exit import leave
from spine_temporal.worker.grace import DEADLINE_S
from spine_temporal.worker.health import LOOP_HELD_S, Health
from spine_temporal.worker.health_routes import free_local_address, serving_health
from spine_temporal.worker.service_manager import service_manager
from spine_temporal.worker.signals import leave_on_sigterm, until_signalled
from spine_temporal.worker.worker import AgentWorker

_log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 5.0
"""How often a process says at the server what it has in hand: the signal for autoscalers is as old as this."""

_LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s%(where)s"


def run_worker_process(
    project: Path,
    *,
    agents: Sequence[str] = (),
    task_queue: str | None = None,
    connection: Mapping[str, Any] | None = None,
    allowed_plugins: Collection[str] | None = None,
    graceful_shutdown_s: float = 0.0,
    deadline_s: float = DEADLINE_S,
    health_address: str | None = None,
    loop_held_s: float = LOOP_HELD_S,
    otlp_metrics_url: str | None = None,
    log_json: bool = False,
    **worker_options: Any,
) -> NoReturn:
    """Serve the agents of the project in folder `project` until SIGTERM or SIGINT, then end this process.

    `agents` names more of them, as "module:attr". `connection` goes to `connect`, `worker_options` to `AgentWorker`.
    `allowed_plugins` names the distributions whose plugins may be imported, as SPINE_TEMPORAL_ALLOWED_PLUGINS does;
    None: any.
    After the signal, what is in flight has `graceful_shutdown_s` to finish; then it is cancelled and other workers
    take it over. `deadline_s` after that the process ends, whatever still runs. A second signal ends it at once.

    At `health_address` (host:port) an HTTP server on a thread of its own answers `/livez`, `/readyz`, `/metrics` and
    `/scale/{queue}`; with `otlp_metrics_url` metrics are sent there instead. A tool or hook that holds the event loop
    for `loop_held_s` fails `/livez`. API key and certificates that come from files are read again when the files
    change.

    One line is logged when it is ready; to stderr, unless the program has set logging up. Each line from within a run
    says which one, with its agent, step, call and attempt; `log_json` makes each line one JSON object.

    With TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID it is a worker of that version.

    Raises:
        BadInput: the settings contradict each other, the project has no agents or two of one name, the server has no
            such namespace, or `health_address` is in use.
        AgentBroken: a module of the project cannot be imported, or an agent cannot run durably.
        PluginUnusable: an agent needs a plugin that is not there, is not allowed, or does not fit.
        ServerUnreachable: no server answers.
    """
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    mark_lines(logging.getLogger().handlers, as_json=log_json)
    logging.getLogger("temporalio").setLevel(logging.WARNING)
    leave_on_sigterm()
    version = deployment_version()
    health, served_here = Health(loop_held_s=loop_held_s), health_address and not otlp_metrics_url
    metrics_address = free_local_address() if served_here else None
    with serving_health(health_address, health, metrics_address):
        served = load_project(project, agents, allowed_plugins=allowed_plugins)

        async def serve() -> NoReturn:
            options = {"runtime": _runtime(metrics_address, otlp_metrics_url), **(connection or {})}
            client = await connect(**options)
            await check_namespace(client)
            worker = AgentWorker(
                client,
                agents=served,
                task_queue=task_queue or names.DEFAULT_TASK_QUEUE,
                allowed_plugins=allowed_plugins,
                graceful_shutdown_s=graceful_shutdown_s,
                **({"deployment_version": version} | worker_options),
            )
            health.serving(worker)
            async with renewed(worker, options):
                await work_until_signalled(
                    worker,
                    deadline_s=graceful_shutdown_s + deadline_s,
                    ready=lambda: _log.info("worker ready: %s", _described(worker, client)),
                    signalled=health.draining,
                    loop_held_s=loop_held_s,
                )
            # Not after the loop is closed: closing it waits for the threads of activities.
            leave()

        asyncio.run(serve())


def _runtime(metrics_address: str | None, otlp_url: str | None) -> Runtime:
    beating = timedelta(seconds=HEARTBEAT_S)
    if metrics_address is None and otlp_url is None:
        return Runtime(telemetry=TelemetryConfig(logging=CORE_LOGGING), worker_heartbeat_interval=beating)
    return metrics_runtime(metrics_address, otlp_url=otlp_url, logging=CORE_LOGGING, worker_heartbeat_interval=beating)


async def work_until_signalled(
    worker: AgentWorker,
    *,
    deadline_s: float = DEADLINE_S,
    ready: Callable[[], None],
    signalled: Callable[[], None] = lambda: None,
    loop_held_s: float = LOOP_HELD_S,
) -> None:
    """Let `worker` work until SIGTERM or SIGINT, then end it.

    `ready` is called when it begins to poll, `signalled` by a thread when the signal comes. A unit of systemd gets to
    know that the worker is ready, and while no tool or hook has held the loop for `loop_held_s`, that it lives.

    The process ends here when the worker has not ended `deadline_s` after the signal (the SDK's core waits for an
    activity that does not heed its cancellation, for as long as it runs), or when there is a second signal. It ends
    with 1 when the worker cannot go on, for instance because it may not poll.
    """
    with until_signalled(deadline_s, signalled) as signal:
        async with worker:
            ready()
            with service_manager(worker.plugin.loop_age_s, loop_held_s):
                stops = [asyncio.create_task(each.wait()) for each in (signal, worker.fatal_error)]
                await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
                if worker.fatal_error.error is not None:
                    _log.error("the worker cannot go on, and ends; another takes over: %s", worker.fatal_error.reason)
                    leave(1)
    _log.info("worker stopped")


def _described(worker: AgentWorker, client: Client) -> str:
    address = client.service_client.config.target_host
    agents = ", ".join(worker.agents)
    version = worker.deployment_version
    build = f", version {version.build_id!r} of deployment {version.deployment_name!r}" if version else ""
    return f"agents {agents} on task queue {worker.task_queue!r} at {address}, namespace {client.namespace!r}{build}"


async def check_namespace(client: Client) -> None:
    """Look whether the client's namespace exists: a worker would say it in the words of the SDK's core.

    Raises:
        BadInput: it does not.
    """
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        address = client.service_client.config.target_host
        raise BadInput(
            f"the server at {address} has no namespace {client.namespace!r}; "
            f"`temporal operator namespace create -n {client.namespace}` makes it"
        ) from error
