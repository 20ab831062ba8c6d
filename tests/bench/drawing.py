"""The plot of the comparison, drawn by an interpreter that has matplotlib."""

import asyncio
import subprocess
from pathlib import Path

from tests.bench.environments import ROOT, NotInstalledError, environment


def draw(figures: Path, png: Path) -> str:
    """Draw what the JSON file `figures` compares; one line of what came of it."""
    try:
        python = asyncio.run(environment("plot"))
    except NotInstalledError as error:
        return f"no plot: matplotlib is not installed: {error}"
    command = [str(python), "-m", "tests.bench.plot", str(figures.resolve()), str(png.resolve())]
    drawn = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if drawn.returncode:
        return f"no plot: {drawn.stderr.strip().rpartition('\n')[2]}"
    return f"{png} shows the comparison"
