"""What is asked once for all is asked while somebody waits for it, and asked again when it was cancelled."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from spine_temporal.client.shared_call import SharedCall


@pytest.fixture(autouse=True, params=["tasks begin later", "tasks begin at once"])
async def complaints(request: pytest.FixtureRequest) -> AsyncIterator[list[str]]:
    """What the event loop complains of, whose tasks begin when it turns or when they are made."""
    found: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory if request.param == "tasks begin at once" else None)
    loop.set_exception_handler(lambda _, context: found.append(str(context)))
    yield found
    loop.set_task_factory(None)
    loop.set_exception_handler(None)


class Numbers:
    """A call that gives its number when it is let, or raises what it is to raise."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled: list[int] = []
        self.let = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            # It takes a moment to let go.
            await asyncio.sleep(0)
            self.cancelled.append(number)
            raise
        if self.error is not None:
            raise self.error
        return number


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_all_that_runs_may_be_cancelled_before_it_began() -> None:
    calls = Numbers()
    shared, here = SharedCall(calls), asyncio.all_tasks()
    asking = asyncio.create_task(shared())
    await asyncio.sleep(0)

    for task in asyncio.all_tasks() - here:
        task.cancel()
    calls.let.set()

    first = await shared()
    assert await shared() == first + 1
    assert asking.cancelled()


async def test_each_who_asks_is_given_what_began_afterwards() -> None:
    calls = Numbers()
    shared = SharedCall(calls)
    first = asyncio.create_task(shared())
    await settled()
    others = [asyncio.create_task(shared()) for _ in range(5)]
    await settled()
    assert calls.begun == 1
    calls.let.set()

    assert await asyncio.gather(first, *others) == [1, *[2] * 5]
    assert await shared() == 3


async def test_what_everybody_has_given_up_is_cancelled(complaints: list[str]) -> None:
    calls = Numbers()
    shared, here = SharedCall(calls), asyncio.all_tasks()
    asking = [asyncio.create_task(shared()) for _ in range(2)]
    await settled()
    later = [asyncio.create_task(shared()) for _ in range(2)]
    await settled()

    for leaving in [*asking, *later]:
        leaving.cancel()
    await settled()

    assert calls.cancelled == [1]
    assert not asyncio.all_tasks() - here
    gc.collect()
    assert not complaints


async def test_who_leaves_takes_nothing_from_those_who_stay() -> None:
    calls = Numbers()
    shared = SharedCall(calls)
    under_way = asyncio.create_task(shared())
    await settled()
    leaving, staying = asyncio.create_task(shared()), asyncio.create_task(shared())
    await settled()

    leaving.cancel()
    await settled()
    calls.let.set()

    assert await under_way == 1
    assert await staying == 2
    assert not calls.cancelled


async def test_who_comes_when_the_last_has_just_left_is_given_one_that_is_not_cancelled() -> None:
    calls = Numbers()
    shared = SharedCall(calls)
    leaving = [asyncio.create_task(shared())]
    await settled()
    leaving.append(asyncio.create_task(shared()))
    await settled()

    for each in leaving:
        each.cancel()
    coming = asyncio.create_task(shared())
    await asyncio.gather(*leaving, return_exceptions=True)
    coming_later = asyncio.create_task(shared())
    calls.let.set()

    assert 1 < await coming <= await coming_later
    assert calls.cancelled == [1]


async def test_what_goes_wrong_is_raised_to_all_who_wait() -> None:
    calls = Numbers()
    shared, calls.error = SharedCall(calls), ConnectionError("away")
    waiting = [asyncio.create_task(shared()) for _ in range(3)]
    calls.let.set()

    assert await asyncio.gather(*waiting, return_exceptions=True) == [calls.error] * 3


@pytest.mark.parametrize("turns", range(5))
async def test_what_goes_wrong_while_the_last_leaves_is_no_complaint(complaints: list[str], turns: int) -> None:
    calls = Numbers()
    shared, calls.error = SharedCall(calls), ConnectionError("away")
    waiting = asyncio.create_task(shared())
    await settled()

    calls.let.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await settled()
    del waiting, shared, calls
    gc.collect()
    assert not complaints
