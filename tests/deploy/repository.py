"""The repository's files and the programs that judge them."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
COMPOSE: Final = ROOT / "deploy" / "compose.yaml"
COMPOSE_POSTGRES: Final = ROOT / "deploy" / "compose.postgres.yaml"
SAMPLE: Final = ROOT / "deploy" / "sample"


def uv() -> str:
    """The uv that make uses; where there is none the test is skipped, or fails in CI."""
    found = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".bootstrap" / "bin"), os.environ["PATH"]]))
    if found is None:
        why = "there is no uv here; make brings one"
        if os.environ.get("SPINE_TEMPORAL_TEST_SERVERS") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return found


def run_installed(
    name: str, *arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment that the tests run in."""
    return subprocess.run(
        [Path(sysconfig.get_path("scripts"), name), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def services(file: Path) -> dict[str, dict[str, Any]]:
    """The services of a compose file."""
    found = yaml.safe_load(file.read_text())["services"]
    assert isinstance(found, dict)
    return found


def service(name: str) -> dict[str, Any]:
    """One service of the compose file."""
    return services(COMPOSE)[name]


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's stages, each a list of instruction and argument."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    found: list[list[tuple[str, str]]] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, argument = line.strip().partition(" ")
        if instruction == "FROM":
            found.append([])
        if instruction:
            found[-1].append((instruction, argument.strip()))
    return found
