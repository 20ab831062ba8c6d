"""A folder of text files that cannot be left."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from spine_core.errors import ToolError

MAX_FILE_BYTES = 1_000_000

_SKIPPED = frozenset({"__pycache__", "dist-packages", "node_modules", "site-packages", "test", "tests"})
_BINARY_PROBE_BYTES = 8_192


class Folder:
    """Reads text below `root`: no path, glob or symlink reaches a file outside it.

    Folders of tests, of installed packages or with a hidden name are not listed; a file in them is read when it is
    asked for by its path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise NotADirectoryError(f"{str(root)!r} is no folder; give the folder that the agent may read")

    def paths(self, glob: str) -> list[str]:
        """The files that `glob` matches, relative to the folder, sorted; `**` stands for any number of folders."""
        segments = glob.strip().removeprefix("./").split("/")
        if "" in segments or ".." in segments:
            raise ToolError(f"glob {glob!r} must be relative to the folder, such as '**/*.py' or 'asyncio/*.py'")
        # Each further `**` beside another one would multiply the ways to match and match nothing more.
        segments = [name for name, before in zip(segments, ["", *segments], strict=False) if not name == before == "**"]
        return sorted(path for path in self._walk() if _matches(path.split("/"), segments))

    def lines(self, path: str) -> list[str]:
        """The lines of a text file; bytes that are not UTF-8 show as U+FFFD.

        Only a newline ends a line, as in an editor: `str.splitlines` would count form feeds too.
        """
        target = self._locate(path)
        try:
            size_bytes = target.stat().st_size
            if size_bytes > MAX_FILE_BYTES:
                raise ToolError(f"{path!r} has {size_bytes:,} bytes, more than the {MAX_FILE_BYTES:,} that are read")
            content = target.read_bytes()
        except OSError as error:
            raise ToolError(f"{path!r} cannot be read: {error.strerror or error}") from error
        if b"\0" in content[:_BINARY_PROBE_BYTES]:
            raise ToolError(f"{path!r} is a binary file")
        text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
        return text.removesuffix("\n").split("\n") if text else []

    def _locate(self, path: str) -> Path:
        try:
            target = (self.root / path).resolve()
            if not target.is_relative_to(self.root):
                raise ToolError(f"{path!r} is outside the folder; paths are relative to it")
            if not target.is_file():
                raise ToolError(f"there is no file {path!r}; list_files shows which there are")
        except (OSError, RuntimeError, ValueError) as error:
            raise ToolError(f"{path!r} is not a usable path: {error}") from error
        return target

    def _walk(self) -> Iterator[str]:
        for parent, folders, files in self.root.walk():
            folders[:] = [name for name in folders if not _is_skipped(name)]
            for name in files:
                # A name that no terminal prints (a newline, broken UTF-8) would break the lines of a tool result.
                if name.isprintable() and self._is_inside(parent / name):
                    yield (parent / name).relative_to(self.root).as_posix()

    def _is_inside(self, file: Path) -> bool:
        try:
            return file.is_file() and (not file.is_symlink() or file.resolve().is_relative_to(self.root))
        except (OSError, RuntimeError):
            return False


def _is_skipped(name: str) -> bool:
    return name in _SKIPPED or name.startswith(".") or name.endswith("_test")


def _matches(parts: list[str], segments: list[str]) -> bool:
    if not segments:
        return not parts
    if segments[0] == "**":
        return _matches(parts, segments[1:]) or (bool(parts) and _matches(parts[1:], segments))
    return bool(parts) and fnmatchcase(parts[0], segments[0]) and _matches(parts[1:], segments[1:])
