"""Changes of a project's agents while its worker serves them as they were."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from spine_cli.config import CONFIG_FILENAME

_LOOK_EVERY_S: Final = 1.0


type Files = Mapping[str, tuple[int, int]]
"""Each file's time of change with its size."""


async def changes_in(folder: Path, loaded: Files) -> AsyncIterator[list[str]]:
    """What a restart of the worker would bring, one line for each file, whenever there is something new.

    `loaded` is what `agent_files` gave just before the agents were loaded.
    """
    before = loaded
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = agent_files(folder)
        changed = [_line(name, before, now) for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
        if changed:
            yield changed
        before = now


def agent_files(folder: Path) -> Files:
    """The files that a project's agents stand in, as they are now."""
    found: dict[str, tuple[int, int]] = {}
    for file in [folder / CONFIG_FILENAME, *(folder / "agents").rglob("*.py")]:
        try:
            state = file.stat()
        except OSError:
            # There is none, or it was removed since it was listed.
            continue
        found[str(file.relative_to(folder))] = (state.st_mtime_ns, state.st_size)
    return found


def _line(name: str, before: Mapping[str, object], now: Mapping[str, object]) -> str:
    return f"{name} {'is new' if name not in before else 'was removed' if name not in now else 'has changed'}"
