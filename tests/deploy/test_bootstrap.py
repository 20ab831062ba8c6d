"""How an environment comes to be on whatever machine this is."""

from pathlib import Path

import pytest

from tests.deploy.machine import BROKEN_SHIM, Machine

INSTALL_UV = ".bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv=="


def sync(python: Path | str, *, uv: str = "uv", folder: str = ".venv") -> str:
    return f"env UV_PROJECT_ENVIRONMENT={folder} {uv} sync --frozen --quiet --python {python}"


def install_python(*, uv: str = "uv") -> str:
    return f"env UV_PYTHON_INSTALL_BIN=0 {uv} python install 3.12"


def test_interpreter_on_path_is_used(machine: Machine) -> None:
    machine.has_uv()
    python = machine.has_python("python3.12", "3.12.4")

    assert machine.plan() == [sync(python)]


def test_oldest_supported_interpreter_is_preferred(machine: Machine) -> None:
    machine.has_uv()
    machine.has_python("python3", "3.14.0")
    machine.has_python("python3.13", "3.13.1")
    python = machine.has_python("python3.12", "3.12.4")

    assert machine.plan() == [sync(python)]


def test_old_python3_is_passed_over_for_one_of_pyenv(machine: Machine) -> None:
    machine.has_uv()
    machine.has_python("python3", "3.9.2")
    machine.has_pyenv_python("3.11.7")
    python = machine.has_pyenv_python("3.13.0")

    assert machine.plan() == [sync(python)]


def test_broken_shim_does_not_hide_the_interpreter_behind_it(machine: Machine) -> None:
    machine.has_uv()
    shim = machine.has(machine.pyenv / "shims" / "python3.12", BROKEN_SHIM)
    python = machine.has_python("python3.12", "3.12.4")

    assert machine.plan(path=str(shim.parent)) == [sync(python)]


def test_broken_shims_alone_lead_to_pyenvs_own_folder(machine: Machine) -> None:
    machine.has_uv()
    machine.has("python3.12", BROKEN_SHIM)
    machine.has("python3", BROKEN_SHIM)
    python = machine.has_pyenv_python("3.12.1")

    assert machine.plan() == [sync(python)]


@pytest.mark.parametrize(
    "unfit",
    [{"version": "3.15.0", "level": "alpha"}, {"version": "3.13.0", "abiflags": "t"}, {"version": "3.11.7"}],
    ids=str,
)
def test_interpreter_that_our_packages_do_not_support_is_passed_over(machine: Machine, unfit: dict[str, str]) -> None:
    machine.has_uv()
    machine.has_python("python3", **unfit)
    python = machine.has_pyenv_python("3.12.1")

    assert machine.plan() == [sync(python)]


def test_wanted_version_is_found_among_others(machine: Machine) -> None:
    machine.has_uv()
    machine.has_python("python3", "3.12.4")
    python = machine.has_pyenv_python("3.13.0")

    assert machine.plan(".venv-3.13", "3.13") == [sync(python, folder=".venv-3.13")]


def test_path_with_spaces_is_no_obstacle(machine: Machine, tmp_path: Path) -> None:
    machine.has_uv()
    python = machine.has_python(tmp_path / "my programs" / "python3", "3.12.4")

    assert machine.plan(path=str(python.parent)) == [sync(python)]


def test_no_interpreter_at_all_lets_uv_install_one(machine: Machine) -> None:
    machine.has_uv()

    assert machine.plan() == [install_python(), sync("3.12")]


def test_old_interpreter_installs_uv_which_installs_a_new_one(machine: Machine) -> None:
    old = machine.has_python("python3", "3.8.18")

    venv, pip, *rest = machine.plan()

    assert venv == f"{old} -m venv --clear .bootstrap"
    assert pip.startswith(INSTALL_UV)
    assert rest == [
        install_python(uv=".bootstrap/bin/uv"),
        sync("3.12", uv=".bootstrap/bin/uv"),
    ]


def test_interpreter_without_venv_installs_uv_with_pip(machine: Machine) -> None:
    python = machine.has_python("python3", "3.12.4", brings="pip")

    install, *_ = machine.plan()

    assert install.startswith(f"{python} -m pip install")
    assert "--target .bootstrap uv==" in install


@pytest.mark.parametrize("version", ["0.4.30", "0.2.1"])
def test_uv_that_knows_no_dependency_groups_is_replaced(machine: Machine, version: str) -> None:
    machine.has_uv(version)
    python = machine.has_python("python3.12", "3.12.4")

    assert machine.plan()[-1] == sync(python, uv=".bootstrap/bin/uv")


def test_shim_in_place_of_uv_is_replaced(machine: Machine) -> None:
    machine.has("uv", BROKEN_SHIM)
    python = machine.has_python("python3.12", "3.12.4")

    assert machine.plan()[-1] == sync(python, uv=".bootstrap/bin/uv")


@pytest.mark.parametrize("has_python", [False, True])
def test_machine_with_nothing_to_install_with_is_told_what_it_needs(machine: Machine, has_python: bool) -> None:
    if has_python:
        machine.has_python("python3", "3.11.2", brings="")

    failed = machine.run(".ci/bootstrap.sh", ".venv")

    assert failed.returncode == 1
    assert "install Python 3.12 or uv, then run make again" in failed.stderr


def test_download_that_fails_says_which_python_is_needed(machine: Machine) -> None:
    machine.has_uv(downloads=False)

    failed = machine.run(".ci/bootstrap.sh", ".venv")

    assert failed.returncode == 1
    assert "no Python 3.12+ found" in failed.stderr
    assert not machine.synced.exists()


def test_search_alone_fails_without_a_word(machine: Machine) -> None:
    machine.has_python("python3", "3.12.4")

    failed = machine.run(".ci/find-python.sh", "3.13")

    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", "")


def test_settings_made_for_pip_hold_for_uv(machine: Machine) -> None:
    machine.has_python("python3.12", "3.12.4")
    machine.has("uv", 'echo "uv 0.13.9"; echo "$SSL_CERT_FILE $UV_HTTP_TIMEOUT ${VIRTUAL_ENV-none}" >&2')

    done = machine.run(
        ".ci/bootstrap.sh", ".venv", PIP_CERT="/certificates", PIP_DEFAULT_TIMEOUT="90", VIRTUAL_ENV="/another"
    )

    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "/certificates 90 none"
