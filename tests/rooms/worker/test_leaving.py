"""A process that a worker ran in ends as its program says, without the interpreter's finalizer."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit
atexit.register(print, "first registered")
from spine_temporal.worker.exit import leave_at_exit
atexit.register(print, "last registered")
leave_at_exit()
leave_at_exit()
print("ran on")
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("raise ValueError('no')", 1)], ids=str)
def test_every_exit_handler_has_its_turn_before_the_process_leaves(end: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == code
    assert ended.stdout.splitlines() == ["ran on", "last registered", "first registered"]
