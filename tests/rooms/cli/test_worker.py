"""`spine-temporal worker`: a process that serves a project until it is told to end."""

import signal
from pathlib import Path
from typing import Final

import pytest

from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine

pytestmark = pytest.mark.durable

_STUCK: Final = """\
import time
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls

@tool
async def hold() -> str:
    '''Hold the loop for longer than any test lasts.'''
    print("holding the loop", flush=True)
    time.sleep(3600)

agent = Agent(ScriptedProvider(calls(("hold", {}))), tools=[hold])
"""

_IMPATIENT: Final = """\
from pathlib import Path
from spine_temporal.worker.process import run_worker_process
run_worker_process(Path("."), task_queue="QUEUE", deadline_s=0.5)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_names_its_agents_and_ends_on_a_signal(alone: CommandLine, number: int) -> None:
    worker = await alone.start("worker", "--namespace", "default", *alone.queue)
    await worker.says(
        "worker ready: agents boss, cashier, clerk, down, looping, planner, poet, waiter "
        f"on task queue '{alone.queue[1]}' "
        f"at {alone.address}, namespace 'default'"
    )

    assert await worker.ended(number) == Exit.DONE
    assert "worker stopped" in worker.lines[-1]


async def test_a_worker_leaves_at_its_deadline_though_a_tool_holds_its_loop(alone: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "stuck.py").write_text(_STUCK)
    worker = await alone.start_python(_IMPATIENT.replace("QUEUE", alone.queue[1]), cwd=tmp_path)
    await worker.says("worker ready")
    await alone("start", "stuck", "hi", *alone.queue)
    await worker.says("holding the loop")

    assert await worker.ended(signal.SIGTERM) == Exit.DONE
    assert "ended 0.5 s after the signal with work in hand" in worker.lines[-1]


async def test_a_second_signal_ends_it_at_once(alone: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "stuck.py").write_text(_STUCK)
    worker = await alone.start("worker", *alone.queue, cwd=tmp_path)
    await worker.says("worker ready")
    await alone("start", "stuck", "hi", *alone.queue)
    await worker.says("holding the loop")
    worker.process.send_signal(signal.SIGINT)

    assert await worker.ended(signal.SIGTERM) == Exit.NO_ANSWER


async def test_an_agent_beside_the_project_is_served_when_it_is_named(alone: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "extra.py").write_text(_STUCK)

    worker = await alone.start("worker", "--agent", "extra:agent", *alone.queue, cwd=tmp_path)

    await worker.says("worker ready: agents extra on task queue")


async def test_a_namespace_that_is_not_there_is_named(alone: CommandLine) -> None:
    worker = await alone.start("worker", "--namespace", "nowhere", *alone.queue)

    assert await worker.ended() == Exit.BAD_USAGE
    assert f"error: the server at {alone.address} has no namespace 'nowhere'" in worker.lines[-1]
    assert len(worker.lines) == 1


async def test_a_project_that_cannot_be_loaded_is_named_before_anything_is_connected(
    alone: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "typo.py").write_text("import no_such_package\n")

    done = await alone("worker", "--project", str(tmp_path), "--address", "127.0.0.1:1")

    assert done.code == Exit.BAD_USAGE, done.err
    assert f"error: {tmp_path}/agents/typo.py:1: ModuleNotFoundError" in done.err
