"""Writes what kustomize and Helm render into a folder, for tools that read files: -m tests.deploy.render FOLDER."""

import shutil
import sys
from pathlib import Path

import yaml

from tests.deploy.manifests import RENDERED, documents
from tests.deploy.repository import DOCKERFILE


def render(folder: Path) -> None:
    """Put one file per way of rendering into the folder, and the image's, in the place of all that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in RENDERED:
        file = folder / f"{name.replace(',', '').replace(' ', '-')}.yaml"
        file.write_text(yaml.safe_dump_all(documents(name)))
    shutil.copy(DOCKERFILE, folder)


if __name__ == "__main__":
    render(Path(sys.argv[1]))
