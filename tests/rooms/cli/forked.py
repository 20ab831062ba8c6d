"""The command as a process that is forked from one that has imported everything already.

Importing takes longer than most commands do; what the command does, and how it ends, is the same.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from spine_temporal.cli.main import main

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "spine_temporal.cli.commands",
        "spine_temporal.cli.decide",
        "spine_temporal.cli.drain",
        "spine_temporal.cli.errors",
        "spine_temporal.cli.gate",
        "spine_temporal.cli.inbox",
        "spine_temporal.cli.resume",
        "spine_temporal.cli.show",
        "spine_temporal.cli.start",
        "spine_temporal.worker.gate",
        "spine_temporal.worker.replay",
        "tests.rooms.cli.forked",
    ]
)


async def forked(
    arguments: Sequence[str], environment: Mapping[str, str], stdin: str, bound_s: float, *, cwd: Path | None = None
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command; it runs in `cwd`, else where this process is."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "0").write_text(stdin)
        process = _CONTEXT.Process(
            target=_command, args=(list(arguments), dict(environment), folder, cwd or Path.cwd())
        )
        process.start()
        await asyncio.to_thread(process.join, bound_s)
        assert process.exitcode is not None, f"the command takes more than {bound_s:.0f} s"
        return process.exitcode, (Path(folder) / "1").read_text(), (Path(folder) / "2").read_text()


def _command(arguments: list[str], environment: dict[str, str], folder: str, cwd: Path) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    # As the interpreter does when it starts.
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    for stream in (0, 1, 2):
        flags = os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(Path(folder) / str(stream), flags), stream)
    sys.stdin, sys.stdout, sys.stderr = (open(stream, mode) for stream, mode in enumerate(("r", "w", "w")))  # noqa: SIM115, PTH123
    sys.argv = ["spine-temporal", *arguments]
    main()
