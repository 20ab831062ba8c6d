"""A peer that hangs, dies or cannot be installed costs its own figures."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, TerminatedError

from tests.bench import environments
from tests.bench.environments import NotInstalledError, environment
from tests.bench.peer_runs import in_time, reason_of
from tests.bench.processes import WorkerProcess


@pytest.fixture
async def worker() -> AsyncIterator[WorkerProcess]:
    """A process that ends when its stdin ends."""
    wait = "import sys; sys.stdin.read(); print({})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", wait, stdin=PIPE, stdout=PIPE)
    yield WorkerProcess("strands", process)
    if process.returncode is None:
        process.kill()
        await process.wait()


class Job:
    """Goes on until it is cancelled, and needs a moment for that."""

    cancelled = False

    async def __call__(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled = True
            raise


async def test_job_in_time_gives_what_it_gives(worker: WorkerProcess) -> None:
    async def job() -> int:
        return 7

    assert await in_time(worker, job(), 60.0) == 7
    assert worker.alive


async def test_job_that_goes_on_is_cancelled_at_its_limit(worker: WorkerProcess) -> None:
    job = Job()

    with pytest.raises(TimeoutError, match="not done after 0 s"):
        await in_time(worker, job(), 0.01)

    assert job.cancelled


async def test_job_of_a_worker_that_ended_is_not_waited_for(worker: WorkerProcess) -> None:
    job = Job()
    await worker.stop()

    with pytest.raises(RuntimeError, match="its worker ended with exit code 0"):
        await in_time(worker, job(), 60.0)

    assert job.cancelled
    assert not worker.alive


async def test_failure_of_a_job_is_its_own(worker: WorkerProcess) -> None:
    async def job() -> None:
        raise RuntimeError("a run of strands ended with ''")

    with pytest.raises(RuntimeError, match="a run of strands ended"):
        await in_time(worker, job(), 60.0)


def test_reason_is_the_first_cause_in_one_line() -> None:
    failed = ApplicationError("the agent\n  failed")
    failed.__cause__ = ApplicationError("no model\n  of that name")

    assert reason_of(WorkflowFailureError(cause=failed)) == "no model of that name"
    assert reason_of(WorkflowFailureError(cause=TerminatedError("history size exceeds limit"))) == (
        "history size exceeds limit"
    )
    assert reason_of(TimeoutError()) == "TimeoutError"
    assert len(reason_of(RuntimeError("x" * 10_000))) == 200


async def test_environment_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_FOLDER", tmp_path)
    monkeypatch.setitem(environments._REQUIREMENTS, "strands", [str(tmp_path / "missing-1.0-py3-none-any.whl")])

    with pytest.raises(NotInstalledError) as raised:
        await environment("strands")

    assert "\n" not in str(raised.value)
    assert "missing" in str(raised.value) or str(raised.value) == "no uv found"
