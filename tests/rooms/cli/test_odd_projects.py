"""Projects whose modules print, end the process or agree on a name: what is asked about them is answered."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spine_temporal import __version__
from spine_temporal.cli.exit_codes import Exit

_COMMAND = str(Path(sys.executable).with_name("spine-temporal"))
_RECORDED = str(Path(__file__).parents[2] / "replay" / "histories" / __version__ / "tools.json")
_AGENT = "from spine_core import Agent\nprint('loaded')\none = Agent('offline:planner', name='same')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "prints.py").write_text(_AGENT)
    return tmp_path


def ask(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_COMMAND, *arguments, "--project", str(project), "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TEMPORAL_ADDRESS": "127.0.0.1:1"},
    )


def findings(project: Path) -> list[Any]:
    found = json.loads(ask(project, "doctor").stdout)
    return [each["text"] for each in found if each["level"] == "fix" and each["what"] != "server"]


def test_what_modules_print_is_no_answer(project: Path) -> None:
    gate, plugins = (
        ask(project, "gate", _RECORDED),
        subprocess.run([_COMMAND, "plugins", "--load", "--json"], capture_output=True, check=True),
    )

    assert (gate.returncode, json.loads(gate.stdout)["agents"]) == (Exit.DONE, ["same"])
    assert "loaded" in gate.stderr
    assert json.loads(plugins.stdout)
    assert findings(project) == []


def test_a_module_that_ends_the_process_is_one_that_cannot_be_imported(project: Path) -> None:
    (project / "agents" / "leaves.py").write_text("raise SystemExit('there is no key')")

    gate, (found,) = ask(project, "gate", _RECORDED), findings(project)

    assert gate.returncode == Exit.NO_ANSWER
    assert "leaves.py:1: SystemExit: there is no key" in json.loads(gate.stdout)["problems"][0]
    assert "leaves.py:1: SystemExit: there is no key" in found


def test_two_agents_of_one_name_close_the_gate_as_no_worker_would_start(project: Path) -> None:
    (project / "agents" / "another.py").write_text(_AGENT)

    gate, (found,) = ask(project, "gate", _RECORDED), findings(project)

    assert gate.returncode == Exit.BAD_USAGE
    assert gate.stderr.splitlines()[-1].startswith("error: two agents are named 'same': agents/another.py (one), and ")
    assert found.startswith("two agents are named 'same'")


def test_a_spine_toml_that_is_no_text_is_a_finding(project: Path) -> None:
    (project / "spine.toml").write_bytes(b"\xff\xfe")

    assert "can't decode byte 0xff" in findings(project)[0]
