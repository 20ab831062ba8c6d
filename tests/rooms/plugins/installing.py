"""Real distributions, built from the folders beside this file, pip-installed into a folder."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HOME = Path(__file__).parent
ALL = sorted(file.parent.name for file in HOME.glob("*/pyproject.toml"))


def install(site: Path, distributions: Iterable[str], *, version: str | None = None) -> Path:
    """Install them below `site`, as pip does; as that version if one is given. Other processes find them there."""
    sources = [_source(name, site, version) for name in distributions]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--upgrade", "--target", str(site), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return site


def _source(name: str, site: Path, version: str | None) -> Path:
    # Building leaves traces in the folder that is built.
    source = site.parent / f"{site.name}-sources" / name
    shutil.copytree(HOME / name, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    if version is not None:
        file = source / "pyproject.toml"
        file.write_text(re.sub(r'^version = ".*"$', f'version = "{version}"', file.read_text(), flags=re.MULTILINE))
    return source
