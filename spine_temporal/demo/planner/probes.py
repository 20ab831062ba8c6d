"""Regular expressions that find what a question asks for."""

import re
from dataclasses import dataclass
from enum import IntEnum

from spine_temporal.demo.planner.concepts import Concept


class Kind(IntEnum):
    """What a matching line may be; the lower, the sooner it is worth reading."""

    USE = 0
    DEFINITION = 1
    REFERENCE = 2
    WORD = 3
    IMPORT = 4


@dataclass(frozen=True)
class Probe:
    """One search: `claim` completes the sentence "these lines ..." if a line turns out to be what it looks like."""

    claim: str
    regex: str
    kind: Kind
    glob: str = "**/*.py"
    only: frozenset[str] | None = None
    """Paths in which a match means something; None: everywhere."""


_IMPORTING = r"^\s*(?:import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*|from\s+)"


def probes_for(concept: Concept) -> tuple[Probe, ...]:
    """Calls of the concept's targets, mentions that are no calls, imports of their modules."""
    called = [target.removesuffix("()") for target in concept.targets.split() if target.endswith("()")]
    plain = [target for target in concept.targets.split() if not target.endswith("()")]
    probes = [Probe(concept.claim, _uses(called, plain), Kind.USE)]
    dotted = [target for target in called if "." in target]
    if dotted:
        claim = f"name what would {concept.claim}, without calling it"
        probes.append(Probe(claim, rf"{_any_of(dotted)}\b(?!\s*\()", Kind.REFERENCE))
    if modules := sorted(_modules(concept)):
        choices = "|".join(map(re.escape, modules))
        probes.append(Probe(f"import {' or '.join(modules)}", rf"{_IMPORTING}(?:{choices})\b", Kind.IMPORT))
    return tuple(probes)


def follow_up(concept: Concept, imports: dict[str, list[str]], listed: frozenset[str]) -> Probe | None:
    """The search for calls under another name, given each file's import lines; None when there can be none.

    `from socket import socket` and `import socket as s` hide calls from a search for `socket.socket(`, while a module
    calls its own functions without any prefix.
    """
    called: set[str] = set()
    plain: set[str] = set()
    only: set[str] = set()
    for target in concept.targets.split():
        module, _, name = target.removesuffix("()").rpartition(".")
        names = called if target.endswith("()") else plain
        for path, lines in imports.items():
            if spelled := {other for line in lines if (other := _spelled(line, module, name))}:
                names |= spelled
                only.add(path)
        if home := {f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"} & listed:
            names.add(name)
            only |= home
    if not only:
        return None
    return Probe(concept.claim, _uses(sorted(called), sorted(plain)), Kind.USE, only=frozenset(only))


def _spelled(import_line: str, module: str, name: str) -> str | None:
    if not module:
        return None
    if found := re.search(rf"\bimport\s.*?\b{re.escape(module)}\s+as\s+(\w+)", import_line):
        return f"{found[1]}.{name}"
    found = re.search(rf"^\s*from\s+{re.escape(module)}\s+import\s+(.*)", import_line)
    if not found:
        return None
    if renamed := re.search(rf"\b{re.escape(name)}\s+as\s+(\w+)", found[1]):
        return renamed[1]
    brings_unseen = found[1].rstrip().endswith(("(", "\\", "*"))
    return name if brings_unseen or re.search(rf"\b{re.escape(name)}\b", found[1]) else None


def _modules(concept: Concept) -> set[str]:
    return {target.removesuffix("()").rpartition(".")[0].partition(".")[0] for target in concept.targets.split()} - {""}


def _uses(called: list[str], plain: list[str]) -> str:
    uses = [rf"{_any_of(called)}\s*\("] if called else []
    uses += [rf"{_any_of(plain)}\b"] if plain else []
    return "|".join(uses)


def _any_of(names: list[str]) -> str:
    by_module: dict[str, list[str]] = {}
    for name in names:
        module, dot, last = name.rpartition(".")
        by_module.setdefault(re.escape(module + dot), []).append(re.escape(last))
    choices = "|".join(f"{module}(?:{'|'.join(lasts)})" for module, lasts in by_module.items())
    return rf"(?<![\w.])(?:{choices})"
