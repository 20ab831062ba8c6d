"""What is asked once for all is asked again when it was cancelled."""

import asyncio

from spine_temporal.client.shared_call import SharedCall


async def test_all_that_runs_may_be_cancelled_before_it_began() -> None:
    async def seven() -> int:
        return 7

    shared, here = SharedCall(seven), asyncio.all_tasks()
    asking = asyncio.create_task(shared())
    await asyncio.sleep(0)

    for task in asyncio.all_tasks() - here:
        task.cancel()

    assert [await shared(), await shared()] == [7, 7]
    assert asking.cancelled()
