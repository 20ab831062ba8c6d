"""`spine-temporal dev`: server, web UI and worker in one command."""

import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.connection.search_attributes import missing
from spine_temporal.devserver.server import DevServer, is_serving
from tests.rooms.cli.command import PROJECT, CommandLine, listed
from tests.support.ports import free_port

pytestmark = pytest.mark.durable


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, which may be written into."""
    return shutil.copytree(PROJECT, tmp_path / "project")


@pytest_asyncio.fixture
async def elsewhere() -> AsyncIterator[CommandLine]:
    """The command for a server on a port where none is."""
    async with CommandLine(f"127.0.0.1:{free_port()}", "spine") as command:
        yield command


async def test_one_command_serves_until_ctrl_c_and_keeps_what_ran(elsewhere: CommandLine, project: Path) -> None:
    dev = await elsewhere.start("dev", cwd=project)
    await dev.says("server   " + elsewhere.address)
    await dev.says("worker   agents boss, cashier, clerk, down, looping, planner, poet, waiter on task queue 'spine'")
    await dev.says('spine-temporal run boss "hello"')

    done = await elsewhere("run", "clerk", "1 + 2?", "--session", "kept")
    code = await dev.ended(signal.SIGINT)

    assert done.out == "It is 3.\n"
    assert code == Exit.DONE
    assert [line.strip() for line in dev.lines[-2:]] == ["worker ended", "server ended"]
    assert not await is_serving(elsewhere.address)

    again = await elsewhere.start("dev", cwd=project)
    await again.says("worker   ")
    assert "It is 3." in (await elsewhere("show", "kept")).out


async def test_a_server_that_runs_already_is_used_and_left_running(
    alone: CommandLine, client: Client, project: Path
) -> None:
    dev = await alone.start("dev", *alone.queue, cwd=project)
    await dev.says(f"server   {alone.address}, which was running already")
    await dev.says("worker   ")

    done = await alone("run", "clerk", "1 + 2?", *alone.queue)

    assert done.out == "It is 3.\n"
    assert await dev.ended(signal.SIGTERM) == Exit.DONE
    assert await client.service_client.check_health()
    assert not (project / ".spine").exists()


async def test_the_web_ui_answers_and_start_names_the_runs_page(elsewhere: CommandLine, project: Path) -> None:
    dev = await elsewhere.start("dev", cwd=project)
    await dev.says("worker   ")

    started = await elsewhere("start", "clerk", "hi", "--session", "page", "--json")

    host, _, port = elsewhere.address.partition(":")
    assert f'"ui": "http://{host}:{int(port) + 1000}/namespaces/default/workflows/spine-page"' in started.out


async def test_a_project_that_cannot_be_loaded_starts_no_server(elsewhere: CommandLine, project: Path) -> None:
    for file in [project / "spine.toml", *(project / "agents").glob("*.py")]:
        file.unlink()
    (project / "agents" / "clerk.py").write_text("import no_such_package\n")

    dev = await elsewhere.start("dev", cwd=project)

    assert await dev.ended() == Exit.BAD_USAGE
    assert "agents/clerk.py:1: ModuleNotFoundError" in dev.lines[0]
    assert not (project / ".spine").exists()


@pytest.mark.parametrize("before", [False, True], ids=["new", "of an earlier version"])
async def test_its_own_server_has_the_search_attributes(elsewhere: CommandLine, project: Path, *, before: bool) -> None:
    if before:
        async with DevServer(project / ".spine" / "temporal.db"):
            pass
    dev = await elsewhere.start("dev", cwd=project)
    await dev.says("worker   ")
    await elsewhere("run", "cashier", "pay", "--session", "found")
    client = await Client.connect(elsewhere.address)
    await listed(client, "found", "paused")

    assert await missing(client) == []
    assert [run.id async for run in client.list_workflows("SpineStatus = 'paused'")] == ["spine-found"]


async def test_an_agent_that_is_added_later_is_noticed(elsewhere: CommandLine, project: Path) -> None:
    dev = await elsewhere.start("dev", cwd=project)
    await dev.says("worker   ")

    shutil.copy(project / "agents" / "clerk.py", project / "agents" / "second.py")
    await dev.says("agents/second.py is new; Ctrl-C, then `spine-temporal dev` again serves it")
    (project / "agents" / "second.py").unlink()
    await dev.says("agents/second.py was removed; Ctrl-C, then `spine-temporal dev` again serves it")


async def test_what_a_workflow_logs_does_not_fail_its_task(elsewhere: CommandLine, project: Path) -> None:
    dev = await elsewhere.start("dev", cwd=project)
    await dev.says("worker   ")
    await elsewhere("run", "cashier", "pay", "--session", "logs")
    handle = (await Client.connect(elsewhere.address)).get_workflow_handle("spine-logs")

    await handle.signal("spine.stop_turn", "nonsense")
    approved = await elsewhere("approve", "logs")

    assert approved.code == Exit.DONE, approved.err
    events = [event.event_type async for event in handle.fetch_history_events()]
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in events


async def test_a_port_that_cannot_be_is_bad_input(alone: CommandLine, project: Path) -> None:
    dev = await alone.start("dev", "--address", "localhost:99999", cwd=project)

    assert await dev.ended() == Exit.BAD_USAGE
    assert "error: no server can be started at 'localhost:99999'" in dev.lines[0]
