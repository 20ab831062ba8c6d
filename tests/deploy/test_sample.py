"""The sample project."""

import shutil
from pathlib import Path

from tests.deploy.repository import SAMPLE, run_installed


def test_sample_agent_answers_without_a_key(tmp_path: Path) -> None:
    project = shutil.copytree(SAMPLE, tmp_path / "sample")

    answered = run_installed("spine", "run", "assistant", "which modules pickle objects?", cwd=project)

    assert answered.returncode == 0, answered.stdout + answered.stderr
    assert "pickle.py:" in answered.stdout
