"""Which lines are worth reading next."""

from typing import Any

from spine_temporal.demo.planner.evidence import Evidence, Finding, first_line_read
from spine_temporal.demo.planner.notebook import Notebook
from spine_temporal.demo.planner.probes import Kind

READS_PER_STEP = 4
MAX_READS = 28

_LINES_ABOVE = 45
_LINES = 60
_LINES_FURTHER_UP = 150
_MAX_LINES_ABOVE = 450
_RARELY_USES = ("#", ">>>", "def ", "async def ")


def next_windows(found: list[Finding], book: Notebook) -> list[dict[str, Any]]:
    """The arguments of the next reads: one window in each file before a second one in any."""
    windows: list[dict[str, Any]] = []
    for finding in _by_promise(found, book):
        if len(windows) >= min(READS_PER_STEP, MAX_READS - book.reads):
            break
        window = _window(finding, book)
        if window and not any(_overlap(window, other) for other in windows) and not book.was_asked("read_file", window):
            windows.append(window)
    return windows


def named_files(book: Notebook) -> list[dict[str, Any]]:
    """The arguments of the next reads when no search is possible: the beginnings of files found by their names."""
    heads = ({"path": path, "start_line": 1, "lines": _LINES_FURTHER_UP} for path in sorted(book.named))
    unread = [head for head in heads if not book.was_asked("read_file", head)]
    return unread[: min(READS_PER_STEP, MAX_READS - book.reads)]


def _by_promise(found: list[Finding], book: Notebook) -> list[Finding]:
    pending = [finding for finding in found if finding.evidence in (Evidence.UNREAD, Evidence.UNCLEAR)]
    pending.sort(key=lambda finding: (finding.probe.kind, finding.hit))
    in_file: dict[str, int] = {}
    in_package: dict[str, int] = {}
    ranked: list[tuple[tuple[Any, ...], Finding]] = []
    for finding in pending:
        path, package = finding.hit.path, finding.hit.path.partition("/")[0]
        if path not in in_file:
            in_package[package] = in_package.get(package, -1) + 1
        in_file[path] = in_file.get(path, -1) + 1
        begun = finding.evidence is Evidence.UNCLEAR
        doubtful = finding.probe.kind is not Kind.DEFINITION and finding.hit.text.lstrip().startswith(_RARELY_USES)
        kind = (doubtful, finding.probe.kind)
        promise = (doubtful or not begun, path in book.pages, in_file[path], kind, in_package[package], finding.hit)
        ranked.append((promise, finding))
    return [finding for _, finding in sorted(ranked, key=lambda pair: pair[0])]


def _window(finding: Finding, book: Notebook) -> dict[str, Any] | None:
    path, line = finding.hit.path, finding.hit.line
    if finding.evidence is Evidence.UNREAD:
        known = book.pages.get(path, {})
        start = next(number for number in range(max(line - _LINES_ABOVE, 1), line + 1) if number not in known)
        return {"path": path, "start_line": start, "lines": _LINES}
    first = first_line_read(finding.hit, book.pages[path])
    if line - first >= _MAX_LINES_ABOVE:
        return None
    start = max(first - _LINES_FURTHER_UP, 1)
    return {"path": path, "start_line": start, "lines": first - start}


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    apart = (
        one["start_line"] >= other["start_line"] + other["lines"]
        or other["start_line"] >= one["start_line"] + one["lines"]
    )
    return one["path"] == other["path"] and not apart
