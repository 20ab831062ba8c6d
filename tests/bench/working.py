"""How a worker of every side works: with the same options, until its stdin ends."""

import asyncio
import sys
from datetime import timedelta
from typing import Any, Final

# Given to all, so that none gains by a default of another: cache and slots are the SDK's own, in numbers.
OPTIONS: Final[dict[str, Any]] = {
    "max_cached_workflows": 1000,
    "max_concurrent_workflow_tasks": 100,
    "max_concurrent_activities": 100,
    "max_concurrent_local_activities": 100,
    "sticky_queue_schedule_to_start_timeout": timedelta(seconds=2.5),
}


async def until_told() -> None:
    """Say that the worker is ready, return when stdin ends, which is also what a parent that died leaves behind."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
