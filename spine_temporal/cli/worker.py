"""A worker for a project: what `spine-temporal worker` does."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from spine_temporal.cli.log import show_log
from spine_temporal.cli.server import Server
from spine_temporal.plugins.project import find_project
from spine_temporal.worker.process import run_worker_process
from spine_temporal.worker.settings import process_settings


def worker(
    server: Server,
    project: Path | None,
    *,
    agents: Sequence[str],
    task_queue: str,
    health_address: str | None,
    log_json: bool,
) -> NoReturn:
    """Serve the project's agents until Ctrl-C or SIGTERM."""
    # Whoever presses Ctrl-C waits for nothing, unless the setting says so.
    settings = process_settings(graceful_shutdown_s=0.0)
    settings["log_json"] |= log_json
    settings["health_address"] = health_address or settings["health_address"]
    if sys.stderr.isatty() and not settings["log_json"]:
        show_log(ours="INFO")
    run_worker_process(
        project or find_project(Path.cwd()),
        agents=agents,
        task_queue=task_queue,
        connection=server.overrides,
        **settings,
    )
