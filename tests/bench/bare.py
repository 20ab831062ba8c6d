"""The yardstick: a Temporal workflow that passes nothing but what it must."""

from datetime import timedelta
from typing import Final

from temporalio import activity, workflow

from tests.bench import job

_TIMEOUT: Final = timedelta(minutes=1)


@activity.defn
async def model(step: int) -> str:
    return job.MESSAGE


@activity.defn
async def tool(size: int) -> str:
    return job.result(size)


@workflow.defn(name="bench.bare")
class BareAgent:
    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        for step in range(1, steps + 1):
            await workflow.execute_activity(model, step, start_to_close_timeout=_TIMEOUT)
            await workflow.execute_activity(tool, size, start_to_close_timeout=_TIMEOUT)
        return await workflow.execute_activity(model, steps + 1, start_to_close_timeout=_TIMEOUT)


@workflow.defn(name="bench.bare_local")
class BareLocalAgent:
    """What a local tool costs at least: the SDK's own price of a local activity."""

    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        for step in range(1, steps + 1):
            await workflow.execute_activity(model, step, start_to_close_timeout=_TIMEOUT)
            await workflow.execute_local_activity(tool, size, start_to_close_timeout=_TIMEOUT)
        return await workflow.execute_activity(model, steps + 1, start_to_close_timeout=_TIMEOUT)
