"""What the README and the pages show works: every block of code runs, in the order of its page."""

import ast
import asyncio
import contextlib
import importlib.metadata
import inspect
import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
import types
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pytest
import pytest_asyncio
from packaging.requirements import Requirement
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.support.ports import free_port
from tests.support.waiting import until

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "spine_temporal" / "docs"
README: Final = ROOT / "README.md"
PAGES: Final = sorted(DOCS.glob("*.md"))

_FENCE: Final = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE: Final = re.compile(r"# (\S+\.(?:py|toml))\n")
_EXIT: Final = re.compile(r"#.*\bexits (\d+)")
_ADDRESS: Final = "localhost:7233"
_SERVING: Final = ("spine-temporal dev", "spine-temporal worker", "python worker.py")
_COMMAND_S: Final = 90
_SHOWN_BYTES: Final = 10_000


@dataclass(frozen=True)
class Block:
    """One block of code. `line` is where it begins in its page."""

    language: str
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(found[1], found[2], text[: found.start()].count("\n") + 1) for found in _FENCE.finditer(text)]


@dataclass
class Newcomer:
    """Somebody who does what a page says, block by block, in an empty folder."""

    page: str
    folder: Path
    address: str
    namespace: dict[str, Any]
    variables: dict[str, str] = field(default_factory=dict)
    serving: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def do(self, block: Block) -> None:
        named = _FILE.match(block.code)
        if named is not None:
            file = self.folder / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._here(block.code))
        elif block.language == "python":
            await self._python(block)
        elif block.language == "sh":
            for command in block.code.replace("\\\n", " ").splitlines():
                await self._command(command, f"{self.page}, line {block.line}: {command}")
        elif block.language == "toml":
            tomllib.loads(block.code)
        elif block.language == "json":
            json.loads(block.code)
        else:
            shown = block.language in ("text", "mermaid")
            assert shown, f"{self.page}, line {block.line}: mark what is only shown as text"

    async def _python(self, block: Block) -> None:
        # Line numbers in a traceback are the page's.
        code = "\n" * block.line + self._here(block.code)
        compiled = compile(code, self.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        # What a page writes lies in its folder.
        with contextlib.chdir(self.folder):
            result = types.FunctionType(compiled, self.namespace)()
            if inspect.isawaitable(result):
                await result

    async def _command(self, line: str, where: str) -> None:
        words = shlex.split(line, comments=True)
        if not words:
            return
        if words[0] == "cd":
            self.folder /= words[1]
        elif words[0] == "export":
            name, _, value = words[1].partition("=")
            self.variables[name] = value
        elif words[:2] == ["pip", "install"]:
            _can_be_installed(words[2])
        elif words[0] == "make":
            # The targets run this test, among others; what they do has its own tests.
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), where
        elif line.startswith(_SERVING):
            await self._serve(line)
        else:
            expected = int(found[1]) if (found := _EXIT.search(line)) else 0
            process = await self._start(line, self.folder)
            async with asyncio.timeout(_COMMAND_S):
                out, errors = await process.communicate()
            assert process.returncode == expected, f"{where}\n{out.decode()}\n{errors.decode()}"

    async def _serve(self, line: str) -> None:
        if line.startswith("spine-temporal dev"):
            self.address = f"127.0.0.1:{free_port()}"
        with tempfile.TemporaryFile() as output:
            process = await self._start(f"exec {line}", self.folder, stdout=output)
            self.serving.append(process)

            def serves() -> bool:
                assert process.returncode is None, os.pread(output.fileno(), _SHOWN_BYTES, 0).decode()
                return _answers(self.address)

            await until(serves, f"{line}: its server at {self.address}")

    async def _start(
        self, command: str, folder: Path, *, stdout: int | IO[bytes] = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"TEMPORAL_ADDRESS": self.address, "PATH": path} | self.variables
        return await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=folder, env=environment, stdout=stdout, stderr=stdout
        )

    def _here(self, code: str) -> str:
        return code.replace(_ADDRESS, self.address)

    async def leave(self) -> None:
        """End what was started. Each worker must have been one: it polled, and ends well."""
        try:
            async with asyncio.timeout(_COMMAND_S):
                while not {process.pid for process in self.serving} <= await self._polling():
                    await asyncio.sleep(0.1)
        finally:
            # Workers before the server that they are connected to.
            codes = [await _ended(process) for process in reversed(self.serving)]
        assert codes == [0] * len(codes)

    async def _polling(self) -> set[int]:
        """The ids of the processes that poll the default task queue."""
        if not self.serving:
            return set()
        client = await Client.connect(self.address)
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=names.DEFAULT_TASK_QUEUE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        return {int(poller.identity.partition("@")[0]) for poller in answer.pollers}


# It makes a version current: a task queue's workers without one get nothing from then on.
_ALONE: Final = ("rollout.md",)


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[TestServer]:
    """One for the pages: they create search attributes, which other tests do without."""
    async with dev_server() as server:
        yield server


@pytest_asyncio.fixture
async def server_of_the_page(request: pytest.FixtureRequest, server: TestServer) -> AsyncIterator[TestServer]:
    """The one for the pages, or one of its own: for what no other page could take back."""
    if request.node.callspec.params["newcomer"].name not in _ALONE:
        yield server
        return
    async with dev_server() as own:
        yield own


@pytest.fixture
async def newcomer(
    request: pytest.FixtureRequest, server_of_the_page: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Newcomer]:
    server = server_of_the_page
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    newcomer = Newcomer(request.param.name, tmp_path, server.address, module.__dict__)
    try:
        yield newcomer
    finally:
        await newcomer.leave()
        # What a page leaves open is none of the next one's business.
        async for left in server.client.list_workflows("ExecutionStatus = 'Running'"):
            with suppress(RPCError):
                await server.client.get_workflow_handle(left.id, run_id=left.run_id).terminate()
        for name in set(sys.modules) - before:
            if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


@pytest.mark.durable
@pytest.mark.parametrize("newcomer", [README, *PAGES], ids=lambda page: page.name, indirect=True)
async def test_every_block_of_the_page_runs_as_it_is(newcomer: Newcomer) -> None:
    page = README if newcomer.page == README.name else DOCS / newcomer.page

    for block in blocks(page):
        await newcomer.do(block)


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()

    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        assert not anchor or anchor in _anchors(linked), target


def test_every_page_is_linked_from_the_readme() -> None:
    text = README.read_text()

    assert [page.name for page in PAGES if f"(spine_temporal/docs/{page.name})" not in text] == []


def test_pages_are_short_enough_to_be_read() -> None:
    lengths = {page.name: len(page.read_text().splitlines()) for page in [README, *PAGES]}

    assert lengths.pop(README.name) <= 180
    assert {name: lines for name, lines in lengths.items() if not 40 <= lines <= 200} == {}


async def test_the_command_lists_the_pages_and_shows_one(tmp_path: Path) -> None:
    newcomer = Newcomer("", tmp_path, _ADDRESS, {})

    listing, _ = await (await newcomer._start("spine-temporal docs", tmp_path)).communicate()
    shown, _ = await (await newcomer._start("spine-temporal docs glossary", tmp_path)).communicate()
    unknown = await newcomer._start("spine-temporal docs otters", tmp_path)

    assert [line.split()[0] for line in listing.decode().splitlines()] == [page.stem for page in PAGES]
    assert shown.decode() == (DOCS / "glossary.md").read_text()
    assert await unknown.wait() == 2


def test_a_terminal_gets_the_page_rendered_through_a_pager() -> None:
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).with_name("spine-temporal")), "docs", "glossary"]
    environment = os.environ | {"PAGER": "sed s/^/paged:/", "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # as Linux ends a terminal
        while some := terminal.read(65536):
            shown += some

    assert process.wait(timeout=_COMMAND_S) == 0
    assert b"paged:" in shown
    assert b"\x1b[" in shown
    assert b"**Session**" not in shown


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _can_be_installed(requirement: str) -> None:
    wanted = Requirement(requirement)
    assert wanted.name == "spine-temporal"
    assert wanted.extras <= set(importlib.metadata.metadata(wanted.name).get_all("Provides-Extra") or ())


async def _ended(process: asyncio.subprocess.Process) -> int:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    return await process.wait()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as asking:
        return asking.connect_ex((host, int(port))) == 0
