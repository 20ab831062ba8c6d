"""The gate before a rollout: what `spine-temporal gate` does."""

import asyncio
import contextlib
import json as json_
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.cli.errors import print_error
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import print_facts, write
from spine_temporal.format import many
from spine_temporal.plugins.project import by_name, find_project, places

if TYPE_CHECKING:
    from spine_temporal.contracts.gate import GateReport


def gate(
    server: Server,
    files: Sequence[Path],
    *,
    project: Path | None,
    agents: Sequence[str],
    task_queue: str,
    histories: int,
    json: bool,
) -> Exit:
    """Look whether this version may become current; print what was looked at, and what speaks against it."""
    # What modules of agents print while they are imported is no answer.
    with contextlib.redirect_stdout(sys.stderr):
        everything = places(project or find_project(Path.cwd()), agents)
        # Those of modules that cannot be imported, too: each raises why when it is to be built.
        found = by_name(each for read in everything.values() for each in read())
        report = asyncio.run(_report(server, AgentRegistry(found), files, task_queue, histories))
    if json:
        write(json_.dumps(report.model_dump(mode="json"), indent=2))
    else:
        print_facts(
            [
                ("agents", ", ".join(report.agents) or "none"),
                ("replayed", many(report.replayed, "run")),
                ("scripted turn", "on the kernel alone" if files else "on the server"),
                ("gate", "closed" if report.problems else "open"),
            ]
        )
        for problem in report.problems:
            print_error(problem)
    return Exit.NO_ANSWER if report.problems else Exit.DONE


async def _report(
    server: Server, agents: AgentRegistry, files: Sequence[Path], task_queue: str, histories: int
) -> "GateReport":
    from temporalio.converter import DataConverter

    from spine_temporal.connection.settings import connect_options
    from spine_temporal.worker.gate import gate as look
    from spine_temporal.worker.gate import gate_files
    from spine_temporal.worker.replay import read_files

    try:
        if files:
            # No server is needed; keys may be.
            converter = connect_options(**server.overrides).get("data_converter", DataConverter.default)
            return await gate_files(agents, read_files(files), converter)
        return await look(await server.client(), agents, task_queue, histories=histories)
    finally:
        await agents.aclose()
