"""What the conversation has shown about one aim."""

import re
from collections.abc import Iterator

from spine_temporal.demo.planner.evidence import Finding, judge
from spine_temporal.demo.planner.notebook import Hit, Notebook, search
from spine_temporal.demo.planner.probes import Kind, Probe, follow_up
from spine_temporal.demo.planner.question import Aim


def findings(aim: Aim, book: Notebook) -> list[Finding]:
    """Every line found for the aim with what it turned out to be, by file; a line counts for its first probe."""
    found: dict[Hit, Finding] = {}
    for probe in asked_probes(aim, book):
        for hit in _hits(probe, book):
            if hit not in found and probe.kind is not Kind.IMPORT:
                found[hit] = judge(hit, probe, book.pages.get(hit.path, {}))
    return [found[hit] for hit in sorted(found)]


def asked_probes(aim: Aim, book: Notebook) -> list[Probe]:
    """The aim's own probes, then those that were searched for because of what the others showed."""
    later = [probe for probe in (another_name(aim, book), *aim.wider) if probe]
    return [*aim.probes, *(probe for probe in later if book.was_asked("grep", search(probe)))]


def another_name(aim: Aim, book: Notebook) -> Probe | None:
    """The search for calls under the names that the files' imports give them."""
    if aim.concept is None:
        return None
    lines: dict[str, list[str]] = {}
    for hit in import_lines(aim, book):
        lines.setdefault(hit.path, []).append(hit.text)
    return follow_up(aim.concept, lines, book.listed)


def import_lines(aim: Aim, book: Notebook) -> list[Hit]:
    """The lines that import what the aim's concept takes."""
    return [hit for probe in aim.probes if probe.kind is Kind.IMPORT for hit in book.hits(probe)]


def _hits(probe: Probe, book: Notebook) -> Iterator[Hit]:
    yield from book.hits(probe)
    if "grep" not in book.worked:
        # Without a search the pages that were read are all there is.
        regex = re.compile(probe.regex)
        for path, page in book.pages.items():
            yield from (Hit(path, number, text) for number, text in page.items() if regex.search(text))
