"""The final answer: what was read, line by line, then what was not."""

from collections.abc import Iterable

from spine_temporal.demo.planner.evidence import Evidence, Finding
from spine_temporal.demo.planner.findings import asked_probes, findings, import_lines
from spine_temporal.demo.planner.notebook import Notebook
from spine_temporal.demo.planner.question import Aim

_MAX_MODULES = 40
_MAX_PLACES = 15
_MAX_ERRORS = 3


def write_answer(aim: Aim, book: Notebook) -> str:
    """Names modules with the lines that are evidence, each of them read in this conversation."""
    found = findings(aim, book)
    paragraphs = [
        *_confirmed(aim, found),
        _bullets("Build on it, or keep it for a later call", _of(found, Evidence.HANDED_ON)),
        _places("Not counted, a comment or another string", _of(found, Evidence.TEXT)),
        _places("Not counted, only defines or compares something of that name", _of(found, Evidence.NAMED)),
        _places("Found by the search, not read", _of(found, Evidence.UNREAD)),
        _places("Read, but I cannot tell code from docstring there", _of(found, Evidence.UNCLEAR)),
        _importers(aim, book, found),
        _limits(aim, book),
    ]
    return "\n\n".join(filter(None, paragraphs))


def _confirmed(aim: Aim, found: list[Finding]) -> list[str]:
    code = _of(found, Evidence.CODE)
    claims = dict.fromkeys(finding.probe.claim for finding in code)
    if not claims:
        return [f"I found no {'code' if found else 'line'} for: {aim.subject}."]
    return [_bullets(f"Lines that {claim}", [f for f in code if f.probe.claim == claim]) for claim in claims]


def _bullets(title: str, found: list[Finding]) -> str:
    by_path: dict[str, list[Finding]] = {}
    for finding in found:
        by_path.setdefault(finding.hit.path, []).append(finding)
    if not by_path:
        return ""
    lines = [f"- {_module(path)}: {_evidence(those)}" for path, those in by_path.items()]
    more = [f"- and {len(lines) - _MAX_MODULES} more"] if len(lines) > _MAX_MODULES else []
    modules = "1 module" if len(lines) == 1 else f"{len(lines)} modules"
    return "\n".join([f"{title}, in {modules}:", *lines[:_MAX_MODULES], *more])


def _evidence(those: list[Finding]) -> str:
    first, *others = those
    scope = f" in `{first.scope}`" if first.scope else ""
    also = f" (also line {', '.join(str(other.hit.line) for other in others[:_MAX_PLACES])})" if others else ""
    return f"{first.hit.path}:{first.hit.line}{scope}: `{first.hit.text.strip()}`{also}"


def _places(title: str, found: list[Finding]) -> str:
    return _listing(title, [f"{finding.hit.path}:{finding.hit.line}" for finding in found])


def _importers(aim: Aim, book: Notebook, found: list[Finding]) -> str:
    evident = {finding.hit.path for finding in found if finding.evidence is not Evidence.TEXT}
    only = sorted({hit.path for hit in import_lines(aim, book)} - evident)
    return _listing("Import it, no such line found", [_module(path) for path in only])


def _listing(title: str, items: list[str]) -> str:
    if not items:
        return ""
    more = f" and {len(items) - _MAX_PLACES} more" if len(items) > _MAX_PLACES else ""
    return f"{title}: {', '.join(items[:_MAX_PLACES])}{more}."


def _limits(aim: Aim, book: Notebook) -> str:
    probes = asked_probes(aim, book)
    searched = max(map(book.searched_files, probes), default=0)
    limits = ["a search for names misses calls through variables, getattr or extension modules in C"] * bool(
        aim.concept
    )
    if unseen := sum(book.left_out(probe) for probe in probes):
        limits.append(f"{unseen} matching lines did not fit into the results")
    limits += [f"a tool gave no result ({error})" for error in _first_lines(book.failed.values())]
    unchecked = f" What I could not check: {'; '.join(limits)}." if limits else ""
    return f"I searched {searched} files and read {book.excerpts()} excerpts.{unchecked}"


def _first_lines(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((text.splitlines() or ["an empty answer"])[0] for text in texts))[:_MAX_ERRORS]


def _of(found: list[Finding], evidence: Evidence) -> list[Finding]:
    return [finding for finding in found if finding.evidence is evidence]


def _module(path: str) -> str:
    if not path.endswith(".py"):
        return path
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
