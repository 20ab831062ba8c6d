"""The runbooks: every command in them is one that exists, with these options."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.core import TyperGroup

from spine_temporal.cli import commands as cli
from spine_temporal.contracts.search_attributes import NAMES
from tests.deploy.queries import rules
from tests.deploy.repository import run_installed
from tests.deploy.runbooks import FOLDER, RUNBOOKS, Command, typed

# Typer brings its own click, which has this class only in a private module.
_UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]

each_runbook = pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.stem)


def group() -> TyperGroup:
    """The command line of spine-temporal."""
    found = typer.main.get_command(cli.app)
    assert isinstance(found, TyperGroup)
    return found


def is_read_by_spine_temporal(words: list[str]) -> bool:
    """Whether our command line would carry the words out."""
    command: Any = group()
    try:
        while isinstance(command, TyperGroup):
            name, *words = words
            command = command.commands[name]
        command.make_context(command.name, list(words)).close()
    except (_UsageError, KeyError, ValueError):
        return False
    return True


def is_read_by_temporal(words: list[str]) -> bool:
    """Whether Temporal's command would: it looks at its options before it helps."""
    at = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    helped = run_installed("temporal", *words, "--help", env={"COLUMNS": "200"})
    return helped.returncode == 0 and f"\n  temporal {' '.join(words[:at])} " in helped.stdout


def exists(words: list[str]) -> bool:
    program, *arguments = words
    readers = {"spine-temporal": is_read_by_spine_temporal, "temporal": is_read_by_temporal}
    return program in readers and readers[program](arguments)


@each_runbook
def test_runbook_is_one_page(runbook: Path) -> None:
    lines = runbook.read_text().splitlines()

    assert len(lines) <= 80
    # A command is one line, however long: it is copied as it stands.
    assert max(len(line) for line in lines if not line.startswith("$ ")) <= 120


def test_there_is_one_for_each_night() -> None:
    assert {runbook.stem for runbook in RUNBOOKS} == {
        "run_is_stuck",
        "provider_is_down",
        "bad_deploy",
        "bill_runs_away",
        "keys_rotate",
        "namespace_fills",
        "region_is_lost",
    }


@pytest.mark.parametrize("command", typed(), ids=str)
def test_command_exists(command: Command, request: pytest.FixtureRequest) -> None:
    comes = {"drain": "drain", "gate": "gate", "--deploy": "drain"}
    if any(word in command.words and name not in group().commands for word, name in comes.items()):
        request.applymarker(pytest.mark.xfail(reason="it comes", strict=True))

    assert exists(command.words)


@pytest.mark.parametrize(
    "line",
    [
        "spine-temporal repair spine-RUN",
        "spine-temporal stop spine-RUN --now",
        "spine-temporal fork spine-RUN",
        "spine-temporal list --status lost",
        "temporal workflow repair --workflow-id spine-RUN",
        "temporal workflow show --id spine-RUN",
        "nomad run worker",
    ],
)
def test_command_that_does_not_exist_is_found(line: str) -> None:
    assert not exists(shlex.split(line))


@each_runbook
def test_links_and_alerts_are_there(runbook: Path) -> None:
    text = runbook.read_text()

    assert all((FOLDER / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", text))
    named = set(re.findall(r"`(Spine[A-Z]\w+)`", text)) - set(NAMES)
    assert named <= {rule["alert"] for rule in rules()}


@each_runbook
def test_search_attributes_in_queries_are_ours(runbook: Path) -> None:
    asked = set(re.findall(r"\b(Spine[A-Z]\w+) [=<>]", runbook.read_text()))

    assert asked <= set(NAMES)
