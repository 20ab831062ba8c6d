"""A process that runs the agents of one project folder until it gets SIGTERM.

`SPINE_TEMPORAL_PROJECT` is the folder (default: the current one), `SPINE_TEMPORAL_TASK_QUEUE` the task queue (default:
spine); the page on settings has the others. Address, namespace, key and certificates come from Temporal's own variables
and profile file.
"""

import sys
from typing import NoReturn

from spine_temporal.errors import SpineTemporalError
from spine_temporal.worker.process import run_worker_process
from spine_temporal.worker.settings import worker_settings


def main() -> NoReturn:
    """Work as the environment says."""
    try:
        run_worker_process(**worker_settings())
    except SpineTemporalError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
