"""What the deployment tests share."""

from pathlib import Path

import pytest

from tests.deploy.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without Python, without uv."""
    return Machine(tmp_path)
