"""The runbooks' pages, and each line that they have an operator type."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.deploy.repository import ROOT

FOLDER: Final = ROOT / "deploy" / "runbooks"
RUNBOOKS: Final = sorted(FOLDER.glob("*.md"))


@dataclass(frozen=True)
class Command:
    """A line that somebody types."""

    runbook: Path
    line: str

    def __str__(self) -> str:
        return f"{self.runbook.stem}: {self.line}"

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


def typed() -> list[Command]:
    """Every line of every console block."""
    found = []
    for runbook in RUNBOOKS:
        for block in re.findall(r"^ *```console\n(.*?)^ *```$", runbook.read_text(), re.MULTILINE | re.DOTALL):
            lines = [line.strip() for line in block.splitlines()]
            assert all(line.startswith("$ ") for line in lines), runbook
            found += [Command(runbook, line[2:]) for line in lines]
    return found
