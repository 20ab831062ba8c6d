"""The tools with which a model reads a folder."""

import re

from spine_core import Tool, tool
from spine_core.errors import ToolError

from spine_temporal.agents.durable_options import durable
from spine_temporal.demo.excerpt import bounded, cut
from spine_temporal.demo.folder import Folder


def reading_tools(folder: Folder) -> list[Tool]:
    """`list_files`, `grep` and `read_file` over one folder; each result is at most 16 KB and says what it left out."""
    # Reading is quick, and may be done twice.
    return [durable(local=True)(made) for made in (_list_files(folder), _grep(folder), _read_file(folder))]


def _list_files(folder: Folder) -> Tool:
    def list_files(pattern: str = "**/*.py", limit: int = 200) -> str:
        """List the files that a glob matches, sorted. Folders of tests and of installed packages are not listed."""
        paths = folder.paths(pattern)
        shown = bounded(paths[: max(limit, 1)])
        notes = [f"[left out: {len(paths) - len(shown)} more files]"] if len(shown) < len(paths) else []
        return "\n".join([f"{len(paths)} files match {cut(pattern)}", *shown, *notes])

    made: Tool = tool(list_files)
    return made


def _grep(folder: Folder) -> Tool:
    def grep(pattern: str, glob: str = "**/*.py", per_file: int = 20) -> str:
        """Find the lines that a Python regular expression matches, as path:line:text. Shows per_file lines a file."""
        regex = _compiled(pattern)
        searched, unread = 0, 0
        found: list[list[str]] = []
        for path in folder.paths(glob):
            try:
                hits = [(n, text) for n, text in enumerate(folder.lines(path), 1) if regex.search(text)]
            except ToolError:
                unread += 1
                continue
            searched += 1
            if hits:
                found.append([f"{path}:{number}:{cut(text)}" for number, text in hits])
        return _report(found, max(per_file, 1), searched, unread)

    made: Tool = tool(grep)
    return made


def _report(found: list[list[str]], per_file: int, searched: int, unread: int) -> str:
    total = sum(len(hits) for hits in found)
    shown = bounded([hit for hits in found for hit in hits[:per_file]])
    report = [f"{total} lines match in {len(found)} of {searched} files", *shown]
    if len(shown) < total:
        report.append(f"[left out: {total - len(shown)} more lines; narrow the pattern, the glob or per_file]")
    if unread:
        report.append(f"[left out: {unread} files that are binary, too large or not readable]")
    return "\n".join(report)


def _read_file(folder: Folder) -> Tool:
    def read_file(path: str, start_line: int = 1, lines: int = 120) -> str:
        """Read numbered lines of one file, from start_line (counted from 1) on."""
        content = folder.lines(path)
        if not 1 <= start_line <= max(len(content), 1):
            raise ToolError(f"{path!r} has {len(content)} lines; start_line={start_line} is not one of them")
        first, wanted = start_line, content[start_line - 1 :][: max(lines, 1)]
        shown = bounded([f"{number:>5}| {cut(text)}" for number, text in enumerate(wanted, first)])
        last = first + len(shown) - 1
        notes = [f"[left out: lines {last + 1}-{len(content)}]"] if last < len(content) else []
        return "\n".join([f"{path}, lines {first}-{last} of {len(content)}", *shown, *notes])

    made: Tool = tool(read_file)
    return made


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ToolError(f"pattern {pattern!r} is not a Python regular expression: {error}") from error
