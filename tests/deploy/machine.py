"""A machine with only the programs that a test puts there."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.deploy.repository import ROOT

_SYSTEM: Final = ("awk", "bash", "cp", "dirname", "env", "make", "mkdir", "rm", "sed", "sh", "touch")
_MADE_LONG_AGO_S: Final = 1_000_000_000

# A real interpreter runs what it is asked to, under a version that is not its own.
_PRETEND: Final = """
import sys
from collections import namedtuple
sys.version_info = namedtuple("version_info", "major minor micro releaselevel serial")({numbers}, {level!r}, 0)
sys.abiflags = {abiflags!r}
sys.modules.update((name, sys if name in {brings!r} else None) for name in ("ensurepip", "pip", "venv"))
code, sys.argv = sys.argv[2], ["-c", *sys.argv[3:]]
exec(code)
"""

BROKEN_SHIM: Final = "echo 'pyenv: command not found' >&2; exit 127"

# Makes the environment out of the interpreter that it is given, with programs that print what they were called with.
_UV: Final = """
case "$1 ${2:-}" in
"--version "*) echo "uv %(version)s (a test's)" ;;
"python install") exit %(installs)d ;;
"sync "*)
    echo "$*" >> "$SYNCED"
    [ ! -e "$BROKEN" ] || exit 2
    for last; do :; done
    mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
    for name in python ruff hadolint check-jsonschema spine-temporal; do
        program=$UV_PROJECT_ENVIRONMENT/bin/$name
        printf '#!/bin/sh\\nif [ "$1" = -c ]; then exec "%%s" "$@"; fi\\n' "$last" > "$program"
        # An environment of its own, for one of the programs.
        printf 'if [ "$1 $2" = "-m venv" ]; then mkdir -p "$4/bin"\\n' >> "$program"
        printf 'for name in python checkov; do cp "$0" "$4/bin/$name"; done; fi\\n' >> "$program"
        printf 'echo "%%s $*"; case "$0 $*" in *"${FAILING:-nothing}"*) exit 1 ;; esac\\n' "$program" >> "$program"
        chmod +x "$program"
    done ;;
esac
"""


class Machine:
    """Its own PATH, pyenv folder and checkout, all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.pyenv = folder / "pyenv"
        self.checkout = folder / "checkout"
        self.broken = folder / "broken"
        self.synced = folder / "synced"
        self.bin.mkdir()
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        for name in ("Makefile", "pyproject.toml", "uv.lock"):
            shutil.copy(ROOT / name, self.checkout)
        for file in (self.checkout / "pyproject.toml", self.checkout / "uv.lock", *self.checkout.glob(".ci/*")):
            os.utime(file, (_MADE_LONG_AGO_S, _MADE_LONG_AGO_S))
        for name in (*_SYSTEM, "chmod"):
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)

    def has(self, program: Path | str, script: str) -> Path:
        """Put a program there; a plain name goes on PATH."""
        path = self.bin / program
        path.parent.mkdir(parents=True, exist_ok=True)
        # It may be a link to the real one.
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def has_python(
        self,
        program: Path | str,
        version: str,
        *,
        level: str = "final",
        abiflags: str = "",
        brings: str = "ensurepip venv",
    ) -> Path:
        """Put an interpreter there that says it has this version; `brings` are the installers it has."""
        pretend = _PRETEND.format(
            numbers=", ".join(version.split(".")), level=level, abiflags=abiflags, brings=brings.split()
        )
        return self.has(program, f'exec {shlex.quote(sys.executable)} -c {shlex.quote(pretend)} "$@"')

    def has_pyenv_python(self, version: str) -> Path:
        return self.has_python(self.pyenv / "versions" / version / "bin" / "python", version)

    def has_uv(self, version: str = "0.13.9", *, downloads: bool = True) -> Path:
        return self.has("uv", _UV % {"version": version, "installs": 0 if downloads else 2})

    def touch_after_setup(self, file: str) -> None:
        """Change a file of the checkout, later than its environment."""
        # Some clocks tick too slowly to tell the two apart.
        os.utime(self.checkout / ".venv" / ".ready", (_MADE_LONG_AGO_S + 1, _MADE_LONG_AGO_S + 1))
        (self.checkout / file).touch()

    def run(self, *command: str, path: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; `path` comes first on PATH."""
        machine = {
            "BROKEN": str(self.broken),
            "HOME": str(self.checkout),
            "PATH": f"{path}:{self.bin}" if path else str(self.bin),
            "PYENV_ROOT": str(self.pyenv),
            "SYNCED": str(self.synced),
        }
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=machine | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def plan(self, *arguments: str, path: str = "") -> list[str]:
        """The commands that would set an environment up."""
        planned = self.run(".ci/bootstrap.sh", "--print", *(arguments or (".venv",)), path=path)
        assert planned.returncode == 0, planned.stderr
        return planned.stdout.splitlines()
