"""What `make` does for a newcomer, for CI."""

import shutil
from pathlib import Path

import pytest

from tests.deploy.machine import Machine

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")

TARGETS = ("help", "demo", "test", "soak", "lint", "audit", "bench", "bench-scale", "image", "clean")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with uv, one supported Python."""
    machine = Machine(tmp_path)
    machine.has_uv()
    machine.has_python("python3.12", "3.12.4")
    return machine


def syncs(machine: Machine) -> int:
    return len(machine.synced.read_text().splitlines())


def test_make_alone_lists_every_target(machine: Machine) -> None:
    listed = machine.run("make").stdout.splitlines()

    assert [line.split()[1] for line in listed] == list(TARGETS)


def test_demo_sets_up_what_it_needs_once(machine: Machine) -> None:
    first = machine.run("make", "demo", "ARGS=--fast")
    second = machine.run("make", "demo")

    assert first.stdout == ".venv/bin/spine-temporal demo --fast\n"
    assert second.stdout == ".venv/bin/spine-temporal demo\n"
    assert "Setting up .venv" in first.stderr
    assert second.stderr == ""
    assert syncs(machine) == 1


@pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml"])
def test_changed_dependencies_are_set_up_again(machine: Machine, file: str) -> None:
    machine.run("make", "demo")
    machine.touch_after_setup(file)

    machine.run("make", "demo")

    assert syncs(machine) == 2


def test_setup_that_failed_is_tried_again(machine: Machine) -> None:
    machine.broken.touch()
    failed = machine.run("make", "demo")
    machine.broken.unlink()

    assert failed.returncode != 0
    assert ".venv could not be set up" in failed.stderr
    assert machine.run("make", "demo").returncode == 0


def test_tests_run_on_a_second_python_where_there_is_one(machine: Machine) -> None:
    machine.has_pyenv_python("3.13.0")

    tested = machine.run("make", "test")

    assert tested.stdout.splitlines() == [
        ".venv/bin/python -m pytest -n 4 --dist worksteal",
        ".venv-3.13/bin/python -m pytest -n 2 -m not durable --ignore=tests/walls --ignore=tests/deploy"
        " --ignore=tests/support --ignore=tests/test_docs.py --ignore=tests/test_makefile.py",
    ]


def test_missing_second_python_is_told(machine: Machine) -> None:
    tested = machine.run("make", "test")

    assert tested.returncode == 0
    assert tested.stdout.splitlines()[-1] == "No Python 3.13 here: the tests ran on one Python only."


def test_chosen_tests_run_on_one_python_only(machine: Machine) -> None:
    machine.has_pyenv_python("3.13.0")

    assert (
        machine.run("make", "test", "ARGS=-k approval").stdout
        == ".venv/bin/python -m pytest -n 4 --dist worksteal -k approval\n"
    )


def test_no_python_is_tested_twice(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has_uv()
    machine.has_python("python3", "3.13.0")

    assert machine.run("make", "test").stdout == ".venv/bin/python -m pytest -n 4 --dist worksteal\n"


@pytest.mark.parametrize(
    "failing",
    [
        "ruff format",
        "ruff check",
        "mypy",
        "hadolint",
        "check-jsonschema",
        "checkov",
        ".venv/bin/python -m pytest -n 4 --dist worksteal",
        "not durable",
    ],
)
def test_ci_fails_when_one_check_fails(machine: Machine, failing: str) -> None:
    machine.has_pyenv_python("3.13.0")

    assert machine.run("bash", ".ci/run", CI="true").returncode == 0
    assert machine.run("bash", ".ci/run", CI="true", FAILING=failing).returncode != 0


def test_ci_does_not_skip_a_test_whose_server_is_missing(machine: Machine) -> None:
    machine.has("make", 'echo "make $* with servers ${SPINE_TEMPORAL_TEST_SERVERS:-or without}"')

    assert machine.run("bash", ".ci/run", CI="true").stdout.splitlines()[-1] == "make test with servers required"


def test_ci_fails_when_the_servers_cannot_be_installed(machine: Machine) -> None:
    (machine.checkout / ".ci" / "install-servers.sh").write_text("#!/bin/sh\nexit 1\n")

    assert machine.run("bash", ".ci/run", CI="true").returncode != 0


def test_ci_fails_when_a_script_of_ours_is_no_shell(machine: Machine) -> None:
    (machine.checkout / ".ci" / "broken.sh").write_text("if true; then\n")

    assert machine.run("make", "lint").returncode != 0


def test_clean_leaves_nothing_that_was_set_up(machine: Machine) -> None:
    machine.has_pyenv_python("3.13.0")
    before = {path.name for path in machine.checkout.iterdir()}
    machine.run("make", "test")

    machine.run("make", "clean")

    assert {path.name for path in machine.checkout.iterdir()} == before
