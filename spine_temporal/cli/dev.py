"""What `spine-temporal dev` does: server, web UI, worker in one process."""

import asyncio
import shlex
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NoReturn

from rich.text import Text
from temporalio.client import Client

from spine_temporal.agents.registry import Agents
from spine_temporal.cli.dev_changes import Files, agent_files, changes_in
from spine_temporal.cli.log import show_log
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import print_facts, stdout
from spine_temporal.connection.connect import connect
from spine_temporal.connection.search_attributes import create_missing
from spine_temporal.connection.settings import connect_options
from spine_temporal.connection.web_ui import LOCAL, UI_PORT_OFFSET, ui_of
from spine_temporal.contracts import names
from spine_temporal.devserver.server import DevServer, is_serving
from spine_temporal.errors import BadInput
from spine_temporal.plugins.project import find_project, load_project
from spine_temporal.telemetry.core_log import plain_runtime
from spine_temporal.worker.exit import leave
from spine_temporal.worker.process import check_namespace, work_until_signalled
from spine_temporal.worker.worker import AgentWorker

_LAST_PORT: Final = 65535
_DATABASE: Final = ".spine/temporal.db"


def dev(server: Server, project: Path | None, *, port: int | None, ui_port: int | None, task_queue: str) -> NoReturn:
    """Run everything that the project's agents need, until Ctrl-C."""
    show_log()
    folder = project or find_project(Path.cwd())
    files = agent_files(folder)
    asyncio.run(_dev(server, folder, files, load_project(folder), port, ui_port, task_queue))


async def _dev(
    server: Server, folder: Path, files: Files, agents: Agents, port: int | None, ui_port: int | None, task_queue: str
) -> NoReturn:
    async with AsyncExitStack() as stack:
        client, where = await _client(stack, server, folder, port, ui_port)
        await check_namespace(client)
        worker = AgentWorker(client, agents=agents, task_queue=task_queue)

        def ready() -> None:
            served = f"agents {', '.join(worker.agents)} on task queue {task_queue!r}"
            _welcome([("project", str(folder)), *where, ("worker", served)], _first_run(client, worker))

        watching = asyncio.create_task(_print_changes(folder, files))
        await work_until_signalled(worker, ready=ready)
        watching.cancel()
        stdout().print("\n  worker ended", style="dim")
    # Not after the loop is closed: closing it waits for the threads of activities.
    leave()


async def _client(
    stack: AsyncExitStack, server: Server, folder: Path, port: int | None, ui_port: int | None
) -> tuple[Client, list[tuple[str, str]]]:
    settings = connect_options(**server.overrides)
    address = f"{LOCAL[0]}:{port}" if port else str(settings["target_host"])
    host, _, number = address.rpartition(":")
    if host not in LOCAL or await is_serving(address):
        client = await server.client(address=address)
        ui = await ui_of(client)
        return client, [("server", f"{address}, which was running already"), *([("web UI", ui)] if ui else [])]
    if not number.isdecimal() or not 0 < int(number) <= _LAST_PORT:
        raise BadInput(f"no server can be started at {address!r}; it is written host:port, with a port up to 65535")
    started = DevServer(
        folder / _DATABASE,
        port=int(number),
        ui=True,
        ui_port=ui_port or int(number) + UI_PORT_OFFSET,
        namespace=settings.get("namespace", "default"),
    )
    await stack.enter_async_context(started)
    stack.callback(stdout().print, "  server ended", style="dim")
    # What the environment holds for a server elsewhere, the one that was just started does not understand.
    client = await connect(
        address=started.address, namespace=started.namespace, tls=False, api_key=None, runtime=plain_runtime()
    )
    await create_missing(client)
    return client, [
        ("server", f"{started.address}, its runs are kept in {_DATABASE}"),
        ("web UI", str(started.ui_address)),
    ]


async def _print_changes(folder: Path, loaded: Files) -> None:
    async for changes in changes_in(folder, loaded):
        for change in changes:
            stdout().print(
                f"  {change}; Ctrl-C, then `spine-temporal dev` again serves it", style="yellow", markup=False
            )


def _welcome(facts: list[tuple[str, str]], command: str) -> None:
    stdout().print()
    print_facts(facts)
    stdout().print(Text.assemble("\n  in another terminal   ", (command, "bold cyan")), soft_wrap=True)
    stdout().print("  [dim]Ctrl-C ends what was started here; runs go on with the next `spine-temporal dev`[/]\n")


def _first_run(client: Client, worker: AgentWorker) -> str:
    options = []
    here, usual = client.service_client.config.target_host, str(connect_options()["target_host"])
    if here.replace("localhost", LOCAL[0]) != usual.replace("localhost", LOCAL[0]):
        options += ["--address", here]
    if client.namespace != connect_options().get("namespace", "default"):
        options += ["--namespace", client.namespace]
    if worker.task_queue != names.DEFAULT_TASK_QUEUE:
        options += ["--task-queue", worker.task_queue]
    return " ".join(["spine-temporal run", shlex.quote(worker.agents[0]), '"hello"', *options])
