"""A process that runs the agents of one project folder until it gets SIGTERM.

`SPINE_TEMPORAL_PROJECT` is the folder (default: the current one), `SPINE_TEMPORAL_TASK_QUEUE` the task queue (default:
spine). Address, namespace, key and certificates come from Temporal's own variables and profile file.
"""

import os
from pathlib import Path
from typing import Final, NoReturn

from spine_temporal.worker.process import run_worker_process

# With the ten seconds that the process has after it, within the 30 that orchestrators give by default.
GRACEFUL_SHUTDOWN_S: Final = 15


def main() -> NoReturn:
    """Work for the project and the task queue that the environment names."""
    run_worker_process(
        Path(os.environ.get("SPINE_TEMPORAL_PROJECT") or "."),
        task_queue=os.environ.get("SPINE_TEMPORAL_TASK_QUEUE") or "spine",
        graceful_shutdown_s=GRACEFUL_SHUTDOWN_S,
    )


if __name__ == "__main__":
    main()
