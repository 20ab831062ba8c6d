"""Redis or PostgreSQL as Debian packages it, run on nothing but a temporary folder.

Where they are not installed the test is skipped; with SPINE_TEMPORAL_TEST_SERVERS=required, as in CI, it fails.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

from spine_temporal.devserver.command import HOST, Port
from tests.support.services.guarded import GuardedServer

_REQUIRED: Final = os.environ.get("SPINE_TEMPORAL_TEST_SERVERS") == "required"
# Debian keeps the programs of PostgreSQL off PATH, one folder for each version.
_DEBIAN_POSTGRES: Final = Path("/usr/lib/postgresql")
_POSTGRES_USER: Final = "postgres"
_READY: Final = "eady to accept connections"
_INITDB_BOUND_S: Final = 120.0


@contextmanager
def redis_server() -> Iterator[GuardedServer]:
    """An empty Redis, for as long as the body takes; what it is told outlives a stop in good order."""
    program = redis_program()
    with server_folder("redis") as folder, _port() as port:
        options = {"port": port, "bind": HOST, "dir": folder, "save": "3600 1"}
        command = [program, *[word for key, value in options.items() for word in (f"--{key}", str(value))]]
        with GuardedServer(command, f"redis://{HOST}:{port}", folder / "log", ready=_READY) as server:
            yield server


@contextmanager
def postgres_server() -> Iterator[GuardedServer]:
    """A new cluster of PostgreSQL, for as long as the body takes; it outlives a stop in good order."""
    with postgres_cluster(postgres_program("initdb"), postgres_program("postgres")) as server:
        yield server


@contextmanager
def postgres_cluster(initdb: str, postgres: str) -> Iterator[GuardedServer]:
    """A new cluster by these programs, wherever they come from."""
    with server_folder("postgres") as folder, _port() as port:
        prefix = _as_another_user(folder)
        data = folder / "data"
        _initialize([*prefix, initdb], data)
        settings = {
            "port": port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "autovacuum": "off",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [*prefix, postgres, "-D", str(data), *options]
        url = f"postgresql://{_POSTGRES_USER}@{HOST}:{port}/postgres?sslmode=disable"
        with GuardedServer(command, url, folder / "log", ready=_READY) as server:
            yield server


def _initialize(initdb: list[str], data: Path) -> None:
    options = ["--auth=trust", f"--username={_POSTGRES_USER}", "--encoding=UTF8", "--no-locale", "--no-sync"]
    command = [*initdb, *options, "-D", str(data)]
    made = subprocess.run(
        command, cwd=data.parent, capture_output=True, text=True, timeout=_INITDB_BOUND_S, check=False
    )
    assert made.returncode == 0, made.stderr


def _as_another_user(folder: Path) -> list[str]:
    """What to put before a command of PostgreSQL, which refuses to run as root; the folder becomes that user's."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(_POSTGRES_USER)
    except KeyError:
        _cannot_run(f"there is no user {_POSTGRES_USER!r}")
    os.chown(folder, user.pw_uid, user.pw_gid)
    # It becomes the command, unlike `runuser`, which stays in between. Whoever changes users is to say anew whose
    # death it dies of.
    return [
        _program("setpriv"),
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--init-groups",
        "--pdeathsig=KILL",
    ]


def redis_program() -> str:
    """Where `redis-server` is."""
    return _program("redis-server")


def postgres_program(name: str) -> str:
    """Where a program of PostgreSQL's is: the first on PATH, else that of the newest version."""
    versions = [path for path in _DEBIAN_POSTGRES.glob("*") if path.name.isdecimal()]
    newest_first = sorted(versions, key=lambda path: int(path.name), reverse=True)
    return _program(name, *[path / "bin" for path in newest_first])


def _program(name: str, *more_folders: Path) -> str:
    found = shutil.which(name, path=os.pathsep.join([*os.get_exec_path(), *map(str, more_folders)]))
    return found or _cannot_run(f"there is no {name!r} on PATH")


def _cannot_run(why: str) -> NoReturn:
    told = f"{why}; on Debian: apt-get install redis-server postgresql"
    if _REQUIRED:
        pytest.fail(told)
    pytest.skip(told)


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A folder that is gone afterwards."""
    # Not pytest's: no other user may look into those.
    with tempfile.TemporaryDirectory(prefix=f"spine-{name}-") as folder:
        yield Path(folder)


@contextmanager
def _port() -> Iterator[int]:
    port = Port()
    try:
        yield port.number
    finally:
        port.release()
