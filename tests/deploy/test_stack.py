"""What the compose file starts, as plain processes from a wheel in an environment of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from temporalio.client import Client

from spine_temporal.testing import dev_server
from tests.deploy.repository import ROOT, SAMPLE, service, uv
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, pytest.mark.timeout(600)]

DOCKERFILE: Final = (ROOT / "deploy" / "Dockerfile").read_text()
COPIED: Final = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "spine_temporal")
QUESTION: Final = "which modules open sockets?"


@dataclass
class Image:
    """What the Dockerfile puts into the image, in a folder."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *command: object, env: Mapping[str, str]) -> str:
        """The output of a command of it."""
        done = subprocess.run(self._found(command), env=self._with(env), capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, *command: object, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """A process of it; it is gone on exit."""
        process = subprocess.Popen(self._found(command), env=self._with(env))
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def ready(self, url: str) -> bool:
        """What the image's own probe says of it."""
        probe = [sys.executable, "-I", "-S", str(self.folder / "app" / "healthcheck.py"), url]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def _found(self, command: tuple[object, ...]) -> list[str]:
        first, *rest = (str(part).replace("/app/", f"{self.folder}/app/") for part in command)
        return [str(self.folder / "venv" / "bin" / first), *rest]

    def _with(self, env: Mapping[str, str]) -> dict[str, str]:
        # Nothing of whoever runs the tests.
        return {"PATH": f"{self.folder}/venv/bin:/usr/bin:/bin", "HOME": str(self.folder), **env}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Built as the Dockerfile builds it: from the lock, the project itself as a wheel."""
    folder = tmp_path_factory.mktemp("image")
    source, app = folder / "source", folder / "app"
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    (extras,) = re.findall(r'^ARG EXTRAS="(.*)"$', DOCKERFILE, re.M)
    (sync,) = re.findall(r"^RUN (uv sync .*--no-editable) \$EXTRAS$", DOCKERFILE, re.M)
    command = [uv(), *shlex.split(sync)[1:], *shlex.split(extras), "--python", sys.executable, "--quiet"]
    subprocess.run(
        command, cwd=source, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder / "venv")}, check=True, timeout=400
    )
    shutil.rmtree(source)
    shutil.copytree(ROOT / "workers", app / "workers")
    shutil.copy(ROOT / "deploy" / "healthcheck.py", app)
    return Image(folder)


@dataclass
class Stack:
    """The services, with the addresses that they have here."""

    image: Image
    address: str
    keys: Path
    project: Path
    ports: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def up(self, *names: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        """These services, each as the compose file starts it; "worker 2" is another one of "worker"."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(self._service(name)) for name in names}

    def settings(self, name: str) -> dict[str, str]:
        """The environment that the compose file gives it, with what is elsewhere here."""
        given = {key: str(value) for key, value in service(name)["environment"].items()}
        there = {"temporal:7233": self.address, "/project": str(self.project)}
        return {key: there.get(value, value.replace("/keys/", f"{self.keys}/")) for key, value in given.items()}

    def url(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/{path}"

    def _service(self, name: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        kind, port = name.split()[0], free_port()
        self.ports[name] = port
        (default,) = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.M)
        entrypoint = service(kind).get("entrypoint") or json.loads(default)
        own = {"SPINE_TEMPORAL_HEALTH_ADDRESS": f"127.0.0.1:{port}"}
        if kind == "codec-server":
            own = {"SPINE_TEMPORAL_CODEC_PORT": str(port), "SPINE_TEMPORAL_CODEC_HOST": "127.0.0.1"}
        return self.image.running(*entrypoint, env=self.settings(kind) | own)


async def test_stack_answers_with_one_worker_killed_and_ends_well(image: Image, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    image.run("python", ROOT / "deploy" / "stack_keys.py", keys, env={})
    async with dev_server() as server:
        stack = Stack(image, server.address, keys, Path(shutil.copytree(SAMPLE, tmp_path / "sample")))
        with stack.up("worker", "worker 2", "tool-worker", "codec-server") as running:
            for name in ("worker", "worker 2", "tool-worker"):
                await until(lambda name=name: image.ready(stack.url(name, "readyz")), name)
            await until(lambda: image.ready(stack.url("codec-server", "healthz")), "the codec server")

            first = image.run("spine-temporal", "run", "assistant", QUESTION, env=stack.settings("worker"))
            running["worker"].kill()
            second = image.run("spine-temporal", "run", "assistant", QUESTION, env=stack.settings("worker"))

            assert "socket" in first
            assert "socket" in second
            await _assert_sealed_and_shared_out(server.client)
            survivors = [running[name] for name in ("worker 2", "tool-worker", "codec-server")]
            for process in survivors:
                process.terminate()
            assert [process.wait(60) for process in survivors] == [0, 0, 0]


async def _assert_sealed_and_shared_out(client: Client) -> None:
    """Nothing of the conversation is readable without the key; tools ran on the queue of the tool worker."""
    queues, runs = set[str](), [run async for run in client.list_workflows("WorkflowType = 'spine.agent'")]
    assert len(runs) == 2
    for run in runs:
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        assert b"open sockets" not in b"".join(event.SerializeToString() for event in history.events)
        scheduled = [event.activity_task_scheduled_event_attributes for event in history.events]
        queues |= {each.task_queue.name for each in scheduled if each.activity_type.name == "spine.tool"}
    assert queues == {"tools"}
