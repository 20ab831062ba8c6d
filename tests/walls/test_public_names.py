"""The package costs nothing to import; its names load on first touch."""

import subprocess
import sys
from pathlib import Path

import pytest

import spine_temporal

ROOT = Path(__file__).parents[2]


def python(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = python("import spine_temporal, sys; print(*{name.partition('.')[0] for name in sys.modules})").split()

    assert "spine_temporal" in loaded
    assert not {"temporalio", "spine_core", "pydantic", "google", "httpx", "asyncio"} & {*loaded}


@pytest.mark.parametrize("name", spine_temporal.__all__)
def test_public_name_loads(name: str) -> None:
    loaded = getattr(spine_temporal, name)

    assert loaded.__name__ == name
    assert loaded.__doc__
    assert name in dir(spine_temporal)


def test_public_names_are_about_a_dozen_in_order() -> None:
    assert spine_temporal.__all__ == sorted(spine_temporal.__all__)
    assert len(spine_temporal.__all__) <= 14


def test_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'spine_temporal' has no attribute 'Nothing'"):
        spine_temporal.Nothing  # noqa: B018


def test_contracts_are_read_without_temporal() -> None:
    code = (
        "import spine_temporal.contracts.step, spine_temporal.journal.ledger, sys; print('temporalio' in sys.modules)"
    )

    assert python(code) == "False"


def test_a_process_that_starts_runs_and_waits_loads_no_worker() -> None:
    loaded = {*python("import sys; from spine_temporal import DurableAgent, Run; print(*sys.modules)").split()}

    assert "spine_temporal.client.run" in loaded
    rooms = {name.split(".")[1] for name in loaded if name.startswith("spine_temporal.")}
    assert not rooms & {"activities", "agents", "mcp", "plugins", "telemetry", "worker", "workflow"}
    assert not loaded & {"temporalio.worker", "jsonschema", "packaging", "sqlite3", "spine_backends"}


def test_a_worker_loads_what_few_runs_need_when_one_does() -> None:
    loaded = {*python("import sys; from spine_temporal import AgentWorker; print(*sys.modules)").split()}

    assert "spine_temporal.worker.worker" in loaded
    assert not loaded & {"jsonschema", "sqlite3", "spine_backends", "cryptography", "mcp"}
