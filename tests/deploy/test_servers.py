"""How the servers that the tests start come to be on the machine of CI."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.machine import Machine

INSTALL = "install --yes --quiet --no-install-recommends"
# The last argument is the package.
DPKG_QUERY = """
for package; do :; done
case " $THERE " in
*" $package "*) printf "install ok installed" ;;
*) printf "deinstall ok config-files" ;;
esac
"""
APT_GET = """
echo "$*" >> "$ASKED"
case $1 in
update) : > "$UPDATED" ;;
install)
    if [ "$LISTS" = fresh ] || { [ "$LISTS" = old ] && [ -e "$UPDATED" ]; }; then exit 0; fi
    echo "E: no such package" >&2
    exit 100
    ;;
esac
"""


class Debian:
    """A machine with apt-get; what it was asked for."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._asked = folder / "asked"
        self._updated = folder / "updated"
        machine.has("dpkg-query", DPKG_QUERY)
        machine.has("apt-get", APT_GET)
        self.user(0)

    @property
    def asked(self) -> list[str]:
        return self._asked.read_text().splitlines() if self._asked.exists() else []

    def user(self, id_: int) -> None:
        self._machine.has("id", f"echo {id_}")

    def install(self, there: str, *, lists: str = "fresh") -> subprocess.CompletedProcess[str]:
        """Have the servers installed; `there` some are already, and the lists of packages are of use, or not yet."""
        files = {"ASKED": str(self._asked), "UPDATED": str(self._updated)}
        return self._machine.run(".ci/install-servers.sh", THERE=there, LISTS=lists, **files)


@pytest.fixture
def debian(machine: Machine, tmp_path: Path) -> Debian:
    """A Debian with root at work."""
    return Debian(machine, tmp_path)


def test_servers_that_are_missing_are_installed(debian: Debian) -> None:
    installed = debian.install("postgresql-15 git")

    assert installed.returncode == 0
    assert debian.asked == [f"{INSTALL} redis-server postgresql prometheus"]
    assert (installed.stdout, installed.stderr) == ("", "Installing redis-server postgresql prometheus ...\n")


def test_servers_that_are_there_are_left_alone(debian: Debian) -> None:
    assert debian.install("postgresql prometheus").returncode == 0
    assert debian.install("postgresql prometheus redis-server").stderr == ""
    assert debian.asked == [f"{INSTALL} redis-server"]


def test_old_lists_of_packages_are_updated(debian: Debian) -> None:
    assert debian.install("redis-server prometheus", lists="old").returncode == 0
    assert debian.asked == [f"{INSTALL} postgresql", "update --quiet", f"{INSTALL} postgresql"]


def test_ci_fails_with_the_words_of_apt_when_a_server_cannot_be_installed(debian: Debian) -> None:
    failed = debian.install("redis-server prometheus", lists="of no use")

    assert failed.returncode != 0
    assert "E: no such package\nerror: postgresql could not be installed" in failed.stderr


def test_nobody_but_root_installs_anything(debian: Debian) -> None:
    debian.user(1000)

    assert debian.install("").returncode == 0
    assert debian.asked == []


def test_machine_without_apt_is_left_alone(machine: Machine) -> None:
    installed = machine.run(".ci/install-servers.sh")

    assert (installed.returncode, installed.stdout, installed.stderr) == (0, "", "")
