"""The next thing to do, decided from the conversation alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spine_temporal.demo.planner.answer import write_answer
from spine_temporal.demo.planner.evidence import Evidence
from spine_temporal.demo.planner.findings import another_name, findings, import_lines
from spine_temporal.demo.planner.notebook import Notebook, search
from spine_temporal.demo.planner.probes import Kind, Probe
from spine_temporal.demo.planner.question import Aim, read_question
from spine_temporal.demo.planner.windows import named_files, next_windows

MAX_STEPS = 16
_MAX_FAILURES = 2


@dataclass(frozen=True)
class Move:
    """What to say, with the tool calls to make; without any it is the final answer."""

    say: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def next_move(book: Notebook, offered: set[str]) -> Move:
    """The first stage that still has something to do; the answer when none has, or after `MAX_STEPS` steps."""
    aim = read_question(book.question)
    if aim is None:
        return Move(
            "I found no word to search for in that. Ask me which modules do something, for example: which modules open "
            "sockets?"
        )
    usable = {name for name in offered if name in book.worked or _failures(name, book) < _MAX_FAILURES}
    stages = _STAGES if book.steps < MAX_STEPS else ()
    for stage in stages:
        move = stage(aim, book)
        if move and all(name in usable for name, _ in move.calls):
            return move
    return Move(write_answer(aim, book))


def _look_around(aim: Aim, book: Notebook) -> Move | None:
    listings = [{"pattern": "**/*.py", "limit": 20}, {"pattern": aim.file_glob, "limit": 50}]
    calls = [("list_files", listing) for listing in listings if not book.was_asked("list_files", listing)]
    say = f"First what there is, with the files whose names match {aim.file_glob}."
    return Move(say, calls) if calls else None


def _survey(aim: Aim, book: Notebook) -> Move | None:
    for probe in aim.probes:
        if move := _search(probe, book, f"Searching for lines that {probe.claim}."):
            return move
    return None


def _under_other_names(aim: Aim, book: Notebook) -> Move | None:
    probe = another_name(aim, book)
    if probe is None:
        return None
    files = len({hit.path for hit in import_lines(aim, book)})
    return _search(probe, book, f"{files} files import it; searching for calls under the names they give it.")


def _widen(aim: Aim, book: Notebook) -> Move | None:
    if any(book.hits(probe) for probe in aim.probes if probe.kind is not Kind.IMPORT):
        return None
    for probe in aim.wider:
        if move := _search(probe, book, f"Nothing yet; a wider search, for lines that {probe.claim} in {probe.glob}."):
            return move
        if book.hits(probe):
            return None
    return None


def _read(aim: Aim, book: Notebook) -> Move | None:
    found = findings(aim, book)
    windows = next_windows(found, book) if "grep" in book.worked else named_files(book)
    if not windows:
        return None
    confirmed = sum(finding.evidence is Evidence.CODE for finding in found)
    places = ", ".join(f"{window['path']} from line {window['start_line']}" for window in windows)
    say = f"{len(found)} lines found, {confirmed} of them confirmed as code. Reading on: {places}."
    return Move(say, [("read_file", window) for window in windows])


def _search(probe: Probe, book: Notebook, say: str) -> Move | None:
    if not book.was_asked("grep", search(probe)):
        return Move(say, [("grep", search(probe))])
    narrowed = search(probe, per_file=1)
    if (hidden := book.hidden_files(probe)) and not book.was_asked("grep", narrowed):
        return Move(f"{hidden} files did not fit; asking for the first line of each file.", [("grep", narrowed)])
    return None


def _failures(name: str, book: Notebook) -> int:
    return sum(failed.startswith(f"{name} ") for failed in book.failed)


_STAGES: tuple[Callable[[Aim, Notebook], Move | None], ...] = (
    _look_around,
    _survey,
    _under_other_names,
    _widen,
    _read,
)
