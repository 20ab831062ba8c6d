"""A question, as the searches that would answer it."""

import re
from dataclasses import dataclass

from spine_temporal.demo.planner.concepts import CONCEPTS, Concept
from spine_temporal.demo.planner.probes import Kind, Probe, probes_for
from spine_temporal.demo.planner.words import content_words, identifiers, spelled, stem


@dataclass(frozen=True)
class Aim:
    """What to look for: `probes` all of them, then `wider` one after the other until one finds something."""

    subject: str
    file_glob: str
    """Files whose very name speaks of the subject."""
    probes: tuple[Probe, ...]
    wider: tuple[Probe, ...]
    concept: Concept | None = None


# How a verb narrows the search for a name; the first verb the question contains decides.
_ACTIONS = (
    ("raise throw", "raise {}", r"\braise\s+(?:\w+\.)*{}\b", Kind.USE),
    ("catch except handle", "catch {}", r"^\s*except\b.*(?<!\w){}\b", Kind.USE),
    ("import", "import {}", r"^\s*(?:import\s.*(?<!\w){0}\b|from\s+{0}\b|from\s.*\bimport\s.*(?<!\w){0}\b)", Kind.USE),
    ("inherit subclass extend derive", "inherit from {}", r"^\s*class\s+\w+\(.*(?<!\w){}\b", Kind.DEFINITION),
    ("define implement declare", "define {}", r"^\s*(?:async\s+def|def|class)\s+{}\b|^{}\s*[:=]", Kind.DEFINITION),
    ("call invoke", "call {}", r"(?<!\w){}\s*\(", Kind.USE),
)


def read_question(question: str) -> Aim | None:
    """What the question asks for: names that it spells out, else an action the planner knows, else its words.

    None when no word is left to search for.
    """
    words = content_words(question)
    stems = {stem(word) for word in words}
    if names := identifiers(question, _NOUNS) or _named_by_action(words):
        return _about_names(names, stems)
    if concept := _concept(stems):
        subject = next(word for word in words if stem(word) in _stems(concept.nouns))
        return Aim(concept.claim, f"**/*{stem(subject)}*", probes_for(concept), _about_words([subject])[-2:], concept)
    if not words:
        return None
    return Aim(_quoted(words), f"**/*{stem(words[-1])}*", _about_words(words)[:-2], _about_words(words)[-2:])


def _concept(stems: set[str]) -> Concept | None:
    known = [concept for concept in CONCEPTS if _stems(concept.nouns) & stems]
    with_verb = [concept for concept in known if _stems(concept.verbs) & stems]
    any_verb = [concept for concept in known if not concept.verbs]
    return next(iter(with_verb + any_verb), None)


def _named_by_action(words: list[str]) -> list[str]:
    # "who imports asyncio" names a module without spelling it as a name; only these actions take nothing but names.
    actions = _stems("raise throw import inherit subclass extend derive")
    others = [word for word in words if stem(word) not in actions]
    return others if len(others) == 1 and len(words) > 1 else []


def _about_names(names: list[str], stems: set[str]) -> Aim:
    # A name typed as an ordinary word may be spelled with capitals in the code.
    mode = "i" if all(name.islower() for name in names) else ""
    quoted, pattern = _quoted(names), f"(?{mode}:{'|'.join(re.escape(name) for name in names)})"
    asked = next((action for action in _ACTIONS if _stems(action[0]) & stems), None)
    actions = [asked] if asked else [_ACTIONS[4], _ACTIONS[5]]
    probes = tuple(
        Probe(claim.format(quoted), regex.format(pattern, pattern), kind) for _, claim, regex, kind in actions
    )
    mention = rf"(?<!\w){pattern}(?!\w)"
    return Aim(
        quoted,
        f"**/*{names[0].rpartition('.')[2]}*",
        probes,
        (
            Probe(f"mention {quoted}", mention, Kind.WORD),
            Probe(f"mention {quoted}", f"(?i){mention}", Kind.WORD, glob="**/*"),
        ),
    )


def _about_words(words: list[str]) -> tuple[Probe, ...]:
    quoted, stems = _quoted(words), [spelled(word) for word in words]
    some = "|".join(stems)
    probes = [
        Probe(
            f"define something named after {quoted}",
            rf"(?i)^\s*(?:async\s+def|def|class)\s+\w*(?:{some})",
            Kind.DEFINITION,
        )
    ]
    if len(words) > 1:
        together = "".join(rf"(?=.*\b{word})" for word in stems)
        probes.append(Probe(f"speak of {quoted} together", f"(?i)^{together}", Kind.WORD))
    probes.append(Probe(f"speak of {quoted}", rf"(?i)\b(?:{some})", Kind.WORD))
    probes.append(Probe(f"speak of {quoted}", rf"(?i)\b(?:{some})", Kind.WORD, glob="**/*"))
    return tuple(probes)


def _quoted(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _stems(words: str) -> set[str]:
    return {stem(word) for word in words.split()}


_NOUNS = frozenset(noun for concept in CONCEPTS for noun in _stems(concept.nouns))
