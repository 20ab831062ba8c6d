"""Work is begun in a task of its own, in which its attempt is the current one."""

import asyncio
import time

import anyio
import pytest

from spine_temporal.activities.current import Attempt, attempt_of
from spine_temporal.activities.hooks import Escaped, begin
from spine_temporal.contracts.progress import AttemptProgress


def attempt() -> Attempt:
    return Attempt(AttemptProgress(), 1, time.monotonic(), 0.0)


def present() -> Attempt | None:
    task = asyncio.current_task()
    assert task is not None
    return attempt_of(task)


async def test_its_attempt_is_the_current_one_there_and_in_tasks_that_it_starts_and_nowhere_else() -> None:
    one, other = attempt(), attempt()

    async def work(_: Attempt) -> list[Attempt | None]:
        async def below() -> Attempt | None:
            return present()

        before = present()
        return [before, await asyncio.create_task(below()), present()]

    first, second = begin(work, one), begin(work, other)

    assert present() is None
    assert await first == [one, one, one]
    assert await second == [other, other, other]


async def test_work_that_waits_for_nothing_is_over_at_once() -> None:
    async def work(_: Attempt) -> str:
        return "found"

    task = begin(work, attempt())

    assert task.done()
    assert task.result() == "found"


async def test_time_limits_and_groups_of_tasks_work_before_it_has_waited_for_anything() -> None:
    async def work(_: Attempt) -> str:
        with anyio.move_on_after(0):
            await anyio.sleep_forever()
        async with asyncio.TaskGroup() as group:
            found = group.create_task(asyncio.sleep(0, "found"))
        return found.result()

    assert await begin(work, attempt()) == "found"


async def test_what_is_no_exception_ends_neither_the_loop_nor_whoever_began_the_work() -> None:
    async def work(_: Attempt) -> None:
        raise SystemExit(3)

    task = begin(work, attempt())

    with pytest.raises(Escaped, match="SystemExit: 3"):
        await task


async def test_cancelled_work_is_cancelled_if_its_attempt_is() -> None:
    one = attempt()

    async def work(_: Attempt) -> None:
        await asyncio.Event().wait()

    task = begin(work, one)
    one.cancelled = True
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
