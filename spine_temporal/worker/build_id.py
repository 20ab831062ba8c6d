"""The code that a worker's process has loaded, as one id."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

_LIBRARIES: Final = ("stdlib", "platstdlib", "purelib", "platlib")


def build_id() -> str:
    """Another id for other code: a digest of each module that is loaded by now, with Python's own version.

    The SDK's default reads and unpacks the bytecode of them all, which takes a third of a worker's start, to look at
    little of it. Here a project's own modules count with all that is in their files; of libraries, whose files do not
    change between two versions, the sizes do.
    """
    digest = blake2b(sys.version.encode(), digest_size=16)
    for written in sorted(_modules()):
        digest.update(written)
    return digest.hexdigest()


def _modules() -> Iterator[bytes]:
    paths = sysconfig.get_paths()
    libraries = tuple({f"{Path(paths[each])}/" for each in _LIBRARIES})
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str):
            # Part of the interpreter, or made by code that is loaded, too.
            continue
        try:
            # Not by its Path: of a thousand modules each has to be made first.
            content = b"%d" % os.stat(file).st_size if file.startswith(libraries) else Path(file).read_bytes()  # noqa: PTH116
        except OSError:
            # Within an archive, say, or gone since.
            continue
        yield b"%s %d %s" % (name.encode(errors="replace"), len(content), content)
