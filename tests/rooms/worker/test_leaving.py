"""A process of ours ends with its exit handlers run, nothing left behind, and the exit code it was to have."""

import subprocess
import sys

import psutil
import pytest

from tests.support.waiting import until

PROGRAM = """
import atexit, subprocess, threading, time
from spine_temporal.worker import exit
atexit.register(print, "first registered")
atexit.register(print, "last registered")
{before}
print("ran on")
exit.leave(3)
"""
FAILS = "atexit.register(lambda: 1 / 0)"
HANGS = "exit._EXIT_HANDLERS_S = 0.1\natexit.register(threading.Event().wait)"


def ended(before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("before", ["", FAILS], ids=["nothing", "fails"])
def test_every_exit_handler_has_its_turn_before_the_process_leaves(before: str) -> None:
    done = ended(before)

    assert done.returncode == 3
    assert done.stdout.splitlines() == ["ran on", "last registered", "first registered"]


def test_an_exit_handler_that_hangs_holds_the_process_no_longer_than_its_time() -> None:
    done = ended(HANGS)

    assert done.returncode == 3
    assert done.stdout.splitlines() == ["ran on"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the children are found in /proc")
async def test_a_server_that_was_started_in_a_session_of_its_own_ends_with_the_process() -> None:
    done = ended("print(subprocess.Popen(['sleep', '1000'], start_new_session=True, stdout=-3).pid, flush=True)")

    pid = int(done.stdout.splitlines()[0])
    await until(lambda: _is_gone(pid), "the end of the server")


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
