"""Environments beside the project's, made once under `.bench/` and kept until `make clean`.

What is measured beside ours, and what draws, never becomes a dependency of the project.
"""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = ROOT / ".bench"
_BASE_PYTHON: Final = Path(sys.executable).resolve()
_TEMPORAL: Final = "temporalio==1.35.*"
_REQUIREMENTS: Final[dict[str, list[str]]] = {
    "openai_agents": [_TEMPORAL, "temporalio-openai-agents==1.1.*", "openai-agents==0.22.3"],
    "pydantic_ai": [_TEMPORAL, "pydantic-ai-slim[temporal]==2.68.*"],
    "langgraph": [_TEMPORAL, "temporalio-langgraph==0.1.*", "langgraph==1.2.*"],
    "strands": [_TEMPORAL, "temporalio-strands-agents==0.1.*", "strands-agents==1.62.*"],
    "plot": ["matplotlib==3.11.*"],
}
_SHOWN: Final = ("temporalio", "openai-agents", "pydantic-ai-slim", "langgraph", "strands-agents")
# An install takes a minute on a slow line.
_PATIENCE_S: Final = 300.0


class NotInstalledError(Exception):
    """An environment cannot be made; its text is the reason, in one line."""


async def environment(name: str) -> Path:
    """The interpreter of that environment, made if need be.

    Raises:
        NotInstalledError: it cannot be made.
    """
    folder, wanted = _FOLDER / name, "\n".join(_REQUIREMENTS[name])
    python, made = folder / "bin" / "python", folder / ".made-of"
    if not (python.exists() and made.exists() and made.read_text() == wanted):
        uv = _uv()
        await _run(uv, "venv", "--quiet", "--clear", "--python", str(_BASE_PYTHON), str(folder))
        await _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *_REQUIREMENTS[name])
        made.write_text(wanted)
    return python


async def versions(python: Path) -> dict[str, str]:
    """What that interpreter has of the packages that are compared."""
    listed = await _run(_uv(), "pip", "list", "--quiet", "--format", "json", "--python", str(python))
    found = {each["name"]: each["version"] for each in json.loads(listed)}
    return {name: version for name, version in found.items() if name in _SHOWN or name.startswith("temporalio-")}


def _uv() -> str:
    bootstrapped = ROOT / ".bootstrap" / "bin" / "uv"
    uv = str(bootstrapped) if bootstrapped.exists() else shutil.which("uv")
    if uv is None:
        raise NotInstalledError("no uv found")
    return uv


async def _run(*command: str) -> str:
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    env.pop("VIRTUAL_ENV", None)
    if "PIP_CERT" in env:  # uv does not read pip's settings
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=env)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            said, _ = await process.communicate()
    except TimeoutError:
        raise NotInstalledError(f"not done after {_PATIENCE_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = said.decode(errors="replace")
    if process.returncode:
        raise NotInstalledError(" ".join(text.split())[:300] or f"{command[0]} failed without a word")
    return text
