"""The walls between the rooms stand, and they are walls: whoever goes through one is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).with_name("importlinter.toml")

REPLAYED = [
    "activities.state_copy",
    "agents.spec",
    "client.run",
    "history.fold",
    "worker.plugin",
    "cli.main",
    "testing",
]
IMPURE = ["asyncio", "datetime", "os", "random", "secrets", "socket", "threading", "time", "uuid"]
# Room -> imports that must not be in it; what has no dot at its beginning is somebody else's package.
BREACHES = {
    "contracts": [".journal.patch", ".workflow.agent", *[f".{room}" for room in REPLAYED], "temporalio", *IMPURE],
    "journal": [".workflow.agent", *[f".{room}" for room in REPLAYED], "temporalio", *IMPURE],
    "workflow": [
        *[f".{room}" for room in REPLAYED],
        ".connection.connect",
        ".encryption.codec",
        "cryptography",
        "random",
        "time",
        "uuid",
    ],
    "agents": [".activities.state_copy", ".workflow.agent", ".client.agent", "temporalio"],
    "client": [".activities.state_copy", ".workflow.agent", ".worker.plugin", ".agents.registry"],
    "activities": [".client.run", ".worker.plugin", ".cli.main"],
    "history": [".activities.state_copy", ".workflow.agent"],
    "middleware": [".activities.state_copy", ".workflow.agent", ".worker.plugin", ".client.run"],
    "cli": [".history.fold", ".journal.patch", ".workflow.agent", ".activities.state_copy"],
    "worker": [".cli.main", ".testing"],
    "kernel": [".agents.registry", ".plugins.loader", ".contracts.names", "temporalio"],
    "plugins": [".activities.state_copy", ".workflow.agent", "temporalio"],
    "encryption": [".connection.connect", ".workflow.agent", ".client.run", ".codec_server.app"],
    "codec_server": [".activities.state_copy", ".workflow.agent", ".client.run", ".plugins.loader"],
    "mcp": [".activities.state_copy", ".client.run", "temporalio"],
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package in that folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(RULES), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_nobody_goes_through_a_wall() -> None:
    report = lint(ROOT)

    assert report.returncode == 0, report.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the package in which every wall is gone through."""
    folder = tmp_path_factory.mktemp("breached")
    shutil.copytree(ROOT / "spine_temporal", folder / "spine_temporal", ignore=shutil.ignore_patterns("__pycache__"))
    for room, imported in BREACHES.items():
        breach = [f"import {_full(name)}\n" for name in imported]
        (folder / "spine_temporal" / room / "breach.py").write_text("".join(breach))
    said = lint(folder)
    assert said.returncode == 1
    return " ".join(said.stdout.split())


@pytest.mark.parametrize(
    ("room", "imported"), [(room, name) for room, imported in BREACHES.items() for name in imported]
)
def test_whoever_goes_through_a_wall_is_named(report: str, room: str, imported: str) -> None:
    assert f"spine_temporal.{room}.breach -> {_full(imported)} (l." in report


def _full(name: str) -> str:
    return f"spine_temporal{name}" if name.startswith(".") else name


def test_every_wall_can_fall(report: str) -> None:
    assert "0 kept" in report
