"""A process that runs nothing but tools, on a task queue of their own, until SIGTERM.

For tools that need another machine than the agents do: `@durable(task_queue="gpu")` routes them there. It serves the
same project as the agents' workers, in the same version. `SPINE_TEMPORAL_TASK_QUEUE` is the tools' queue; all other
settings are those of `agent_worker.py`.
"""

import sys
from typing import NoReturn

from spine_temporal.errors import SpineTemporalError
from spine_temporal.worker.process import run_worker_process
from spine_temporal.worker.settings import worker_settings


def main() -> NoReturn:
    """Work as the environment says."""
    try:
        run_worker_process(**worker_settings(), tools_only=True)
    except SpineTemporalError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
