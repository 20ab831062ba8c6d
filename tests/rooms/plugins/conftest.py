"""The distributions beside these tests, built, then installed by pip where other processes find them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rooms.plugins.installing import ALL, install

type Python = Callable[..., str]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, version 1.0.0."""
    return install(tmp_path_factory.mktemp("plugins") / "site", ALL)


@pytest.fixture
def python(site: Path, tmp_path: Path) -> Python:
    """Runs code in an interpreter that has them: `python("print(1)", ACME_URL="...")` gives what it printed."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(site), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
