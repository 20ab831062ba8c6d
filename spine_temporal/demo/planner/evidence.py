"""What a line of source really is, judged from the lines that were read around it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from spine_temporal.demo.planner.notebook import Hit
from spine_temporal.demo.planner.probes import Kind, Probe


class Evidence(StrEnum):
    """How a line that a search found turned out."""

    CODE = "code"
    HANDED_ON = "handed on"
    """Code that stores the thing, or builds on it, for a later call."""
    NAMED = "named"
    """Code that defines or compares something of that name."""
    TEXT = "text"
    """A comment, a docstring or another string."""
    UNREAD = "unread"
    UNCLEAR = "unclear"
    """Read, but not far enough up to tell code from docstring."""


@dataclass(frozen=True)
class Finding:
    """A line, what it is evidence of, and the function or class that it stands in."""

    hit: Hit
    probe: Probe
    evidence: Evidence
    scope: str | None = None


_NOT_CODE = re.compile(
    r"(?P<quote>\"\"\"|''')(?:\\.|.)*?(?:(?P=quote)|\Z)" r"|'(?:\\.|[^'\\\n])*'" r"|\"(?:\\.|[^\"\\\n])*\"" r"|#[^\n]*",
    re.DOTALL,
)
_BLOCK = re.compile(r"^(?P<indent>\s*)(?:async\s+def|def|class)\s+(?P<name>\w+)\s*[(:\[]")


def judge(hit: Hit, probe: Probe, page: dict[int, str]) -> Finding:
    """What the hit turned out to be, given what was read of its file."""
    if hit.line not in page:
        return Finding(hit, probe, Evidence.UNREAD)
    if not hit.path.endswith(".py"):
        return Finding(hit, probe, Evidence.CODE)
    anchor = _anchor(hit, page)
    if anchor is None:
        return Finding(hit, probe, Evidence.UNCLEAR)
    code = _code_only([page[number] for number in range(anchor, hit.line + 1)])
    return Finding(hit, probe, _evidence(code[-1], probe), _scope(hit, page))


def first_line_read(hit: Hit, page: dict[int, str]) -> int:
    """Where the unbroken run of read lines that holds the hit begins."""
    number = hit.line
    while number - 1 in page:
        number -= 1
    return number


def _evidence(code: str, probe: Probe) -> Evidence:
    if not re.search(probe.regex, code):
        return Evidence.TEXT
    if probe.kind in (Kind.DEFINITION, Kind.WORD):
        return Evidence.CODE
    if probe.kind is Kind.USE:
        return Evidence.NAMED if re.search(rf"\b(?:def|class)\s+(?:{probe.regex})", code) else Evidence.CODE
    kept = re.search(rf"(?<![=!<>])=\s*(?:{probe.regex})", code) or re.match(r"\s*class\s", code)
    return Evidence.HANDED_ON if kept else Evidence.NAMED


def _anchor(hit: Hit, page: dict[int, str]) -> int | None:
    # A line that is no part of a string: the file's first, or the head of a block the hit may stand in. The outermost
    # such head is the safest, since the head of an example in a docstring is indented.
    indent = _indent(page[hit.line])
    first = first_line_read(hit, page)
    anchor = None
    for number in range(hit.line, first - 1, -1):
        block = _BLOCK.match(page[number])
        if block and not block["indent"]:
            return number
        if block and len(block["indent"]) < indent:
            anchor, indent = number, len(block["indent"])
    return 1 if first == 1 else anchor


def _scope(hit: Hit, page: dict[int, str]) -> str | None:
    ceiling = _indent(page[hit.line])
    for number in range(hit.line - 1, first_line_read(hit, page) - 1, -1):
        line = page[number]
        if not line.strip() or _indent(line) >= ceiling:
            continue
        if block := _BLOCK.match(line):
            return block["name"]
        ceiling = _indent(line)
    return None


def _code_only(lines: list[str]) -> list[str]:
    def blank(text: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", text[0])

    return _NOT_CODE.sub(blank, "\n".join(lines)).split("\n")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
