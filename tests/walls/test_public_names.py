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


@pytest.fixture(scope="module")
def client_modules() -> set[str]:
    """What the names that a client uses have loaded."""
    code = "import sys; from spine_temporal import ActivityPolicy, Decision, DurableAgent, Run; print(*sys.modules)"
    return {*python(code).split()}


def rooms_of(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("spine_temporal.")}


def test_a_client_has_not_loaded_what_reads_a_history(client_modules: set[str]) -> None:
    assert "spine_temporal.client.run" in client_modules
    assert not rooms_of(client_modules) & {"checkpoint", "journal"}
    assert not client_modules & {
        "spine_temporal.client.follow_run",
        "spine_temporal.client.fork",
        "spine_temporal.client.live_history",
        "spine_temporal.client.run_event",
        "spine_temporal.client.read_ahead",
        "spine_temporal.client.run_reader",
        "spine_temporal.history.event_reader",
        "spine_temporal.history.fold",
    }


def test_a_client_has_not_loaded_contracts_that_only_workers_write(client_modules: set[str]) -> None:
    loaded = {name.rpartition(".")[2] for name in client_modules if name.startswith("spine_temporal.contracts.")}

    assert "run_request" in loaded
    assert not loaded & {"checkpoint", "gate", "progress", "shared_limits", "step", "subagent", "tool_call"}


def test_importing_a_model_builds_no_validator() -> None:
    modules = ", ".join(
        f"spine_temporal.contracts.{file.stem}" for file in (ROOT / "spine_temporal/contracts").glob("[!_]*.py")
    )
    code = (
        f"import {modules}; from pydantic import BaseModel\n"
        "def below(model):\n"
        "    for each in model.__subclasses__():\n"
        "        yield each\n"
        "        yield from below(each)\n"
        "ours = [each for each in below(BaseModel) if each.__module__.startswith('spine_temporal.')]\n"
        "print(len(ours), *(each.__name__ for each in ours if each.__pydantic_complete__))"
    )
    found, *built = python(code).split()

    assert int(found) > 50
    assert not built


def test_a_process_that_starts_runs_and_waits_loads_no_worker(client_modules: set[str]) -> None:
    reading = "spine_temporal.client.fork, spine_temporal.client.run_reader"
    loaded = client_modules | {*python(f"import sys, {reading}; print(*sys.modules)").split()}

    assert "spine_temporal.history.fold" in loaded
    assert not rooms_of(loaded) & {"activities", "agents", "mcp", "plugins", "telemetry", "worker", "workflow"}
    assert not loaded & {"temporalio.worker", "jsonschema", "packaging", "sqlite3", "spine_backends"}


def test_a_worker_loads_what_few_runs_need_when_one_does() -> None:
    loaded = {*python("import sys; from spine_temporal import AgentWorker; print(*sys.modules)").split()}

    assert "spine_temporal.worker.worker" in loaded
    assert not loaded & {"jsonschema", "packaging", "sqlite3", "spine_backends", "cryptography", "mcp"}
