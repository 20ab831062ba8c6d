"""A worker that AWS Lambda runs while there is work; Temporal invokes it, and it ends before its time is up.

The project is the function's folder, or SPINE_TEMPORAL_PROJECT. Agents are made anew for each invocation, which has an
event loop of its own: give them as functions `agent()`, so that no client of a former loop is used.
"""

import os
from pathlib import Path
from typing import Final

from temporalio.common import WorkerDeploymentVersion
from temporalio.contrib.aws.lambda_worker import LambdaWorkerConfig, run_worker

from spine_temporal import SpinePlugin
from spine_temporal.connection.settings import connect_options
from spine_temporal.plugins.project import load_project

# What the SDK keeps for the worker's end: 5 s for what is in flight, 2 s for hooks.
_END_S: Final = 7.0
LONGEST_ACTIVITY_S: Final = float(os.environ["FUNCTION_TIMEOUT_S"]) - _END_S
LONGER_ACTIVITIES_TASK_QUEUE: Final = os.environ.get("SPINE_TEMPORAL_LONGER_ACTIVITIES_TASK_QUEUE") or None
AGENTS: Final = load_project(
    Path(os.environ.get("SPINE_TEMPORAL_PROJECT") or os.environ.get("LAMBDA_TASK_ROOT") or ".")
)


def configure(config: LambdaWorkerConfig) -> None:
    """Serve the project's agents, with the payload keys of the environment."""
    connection = connect_options()
    if "data_converter" in connection:
        config.client_connect_config["data_converter"] = connection["data_converter"]
    config.worker_config.setdefault("task_queue", os.environ.get("SPINE_TEMPORAL_TASK_QUEUE") or "spine")
    plugin = SpinePlugin(
        AGENTS, longest_activity_s=LONGEST_ACTIVITY_S, longer_activities_task_queue=LONGER_ACTIVITIES_TASK_QUEUE
    )
    config.worker_config["plugins"] = [plugin]


lambda_handler = run_worker(
    WorkerDeploymentVersion(
        deployment_name=os.environ["TEMPORAL_DEPLOYMENT_NAME"],
        build_id=os.environ["TEMPORAL_WORKER_BUILD_ID"],
    ),
    configure,
)
