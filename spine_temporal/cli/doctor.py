"""Whether everything is in order: what `spine-temporal doctor` does."""

import asyncio
import contextlib
import json as json_
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from spine_temporal.cli.doctor_deploy import check_deploy
from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.cli.doctor_project import check_project
from spine_temporal.cli.doctor_server import check_server
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import stdout, write
from spine_temporal.format import harmless
from spine_temporal.plugins.project import find_project

_STYLES: Final = {Level.OK: "green", Level.NOTE: "yellow", Level.FIX: "bold red"}


def doctor(
    server: Server,
    project: Path | None,
    *,
    agents: Sequence[str],
    task_queue: str,
    deploy: bool,
    deployment: str | None,
    json: bool,
) -> Exit:
    """Print what was looked at, one line each; what is not in order stands there with what to do."""
    folder = project or find_project(Path.cwd())
    # Only what `deploy` adds may depend on a deployment: a laptop has none.
    deployed = (lambda: check_deploy(server, deployment)) if deploy or deployment is not None else None
    # What modules of agents print while they are imported is no answer.
    with contextlib.redirect_stdout(sys.stderr):
        findings = asyncio.run(_checked(server, folder, agents, task_queue, deployed))
    if json:
        write(json_.dumps([each.to_json() for each in findings], indent=2))
    else:
        _print(findings)
    return Exit.NO_ANSWER if any(each.level is Level.FIX for each in findings) else Exit.DONE


async def _checked(
    server: Server,
    folder: Path,
    agents: Sequence[str],
    task_queue: str,
    deployed: Callable[[], Awaitable[list[Finding]]] | None,
) -> list[Finding]:
    of_deployment = await deployed() if deployed is not None else []
    return [*await check_server(server, task_queue), *of_deployment, *await check_project(folder, agents)]


def _print(findings: list[Finding]) -> None:
    width = max(len(each.what) for each in findings)
    for each in findings:
        line = Text.assemble(
            "  ",
            (f"{each.level:<4}", _STYLES[each.level]),
            f"  {each.what:<{width}}  ",
            harmless(each.text),
            (f"; {each.fix}" if each.fix else "", "cyan"),
        )
        stdout().print(line, soft_wrap=True)
