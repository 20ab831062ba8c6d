"""The README's code runs, in order, as it stands there."""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

pytestmark = pytest.mark.durable

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMAND = Path(sys.executable).parent / "spine-temporal"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


async def execute(code: str, namespace: dict[str, Any], name: str) -> None:
    compiled = compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = types.FunctionType(compiled, namespace)()
    if inspect.isawaitable(result):
        await result


async def test_the_python_blocks_run_one_after_another(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = client.service_client.config.target_host
    module = types.ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    codes = blocks("python")
    assert len(codes) >= 8
    worker: asyncio.Task[None] | None = None
    for number, code in enumerate(codes):
        await execute(code.replace("localhost:7233", address), module.__dict__, f"README.md, python block {number}")
        if worker is None and "working" in module.__dict__:
            worker = asyncio.create_task(module.__dict__["working"])
    assert worker is not None
    worker.cancel()
    await asyncio.wait([worker])


async def test_the_commands_run_in_a_project_folder(client: Client, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "assistant.py").write_text(
        'from spine_core import Agent\n\nagent = Agent("offline:planner", name="assistant")\n'
    )
    environment = os.environ | {"TEMPORAL_ADDRESS": client.service_client.config.target_host}
    shell = next(block for block in blocks("sh") if "spine-temporal start" in block)
    commands = [line.split("  #")[0].strip() for line in shell.splitlines()]
    asked = [each for each in commands if not each.startswith(("spine-temporal dev", "spine-temporal worker"))]
    assert len(asked) == 5
    worker = await asyncio.create_subprocess_exec(COMMAND, "worker", cwd=tmp_path, env=environment)
    try:
        run_id = ""
        for command in asked:
            arguments = [run_id if part == "RUN" else part for part in _split(command)]
            done = await _communicate(arguments, tmp_path, environment)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            if arguments[0] == "start":
                run_id = done.stdout.strip()
    finally:
        worker.terminate()
        assert await worker.wait() == 0


def _split(command: str) -> list[str]:
    words = re.findall(r'"([^"]*)"|(\S+)', command)
    return [quoted or bare for quoted, bare in words][1:]


async def _communicate(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return await asyncio.to_thread(run)
