"""Nothing of the suite's servers outlives the process that they were started for."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.services.debian import postgres_program, redis_program, redis_server

OWNER = """
from tests.support.services.debian import {name}_server
with {name}_server() as server:
    print(server.pid, flush=True)
    input()
"""
BOUND_S = 60.0


def until_gone(processes: list[psutil.Process]) -> None:
    give_up_at_s = time.monotonic() + BOUND_S
    while left := [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < give_up_at_s, left
        time.sleep(0.01)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where whoever is killed leaves temporary folders; the user of PostgreSQL may look into it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_server_that_is_no_longer_needed_leaves_neither_process_nor_folder() -> None:
    with redis_server() as server:
        process = psutil.Process(server.pid)
        folder = Path(process.cwd())

    assert not process.is_running()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "program"),
    [("redis", redis_program), ("postgres", lambda: postgres_program("postgres"))],
    ids=["redis", "postgres"],
)
def test_server_dies_with_the_killed_process_that_started_it(
    name: str, program: Callable[[], str], folder: Path
) -> None:
    assert program()
    command = [sys.executable, "-c", OWNER.format(name=name)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        server = psutil.Process(int(owner.stdout.readline()))
        started = [server, *server.parents()[:1], *server.children(recursive=True)]

        owner.kill()

        until_gone(started)
