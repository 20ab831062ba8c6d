"""Ids of runs, of their workflows, of the calls within them."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

MAX_ID_BYTES: Final = 1000
"""The longest workflow id that a stock server takes (`limit.maxIDLength`)."""
# Room for what twelve levels of subagents add; beyond it, an id is shortened by its digest.
_LONGEST_PARENT_BYTES: Final = 900
# Stands in no id that a client accepts from its caller, see `is_reserved`.
_MARK: Final = "~"
_SEED_BYTES: Final = 4
# No run takes so many steps; Python reads no number of more than 4,300 digits.
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Which call of which step: "3.0" is the first call of step 3. Of a team, the step is the member's number."""

    step: int
    index: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The position that `text` names; None: it names none."""
        step, _, index = text.partition(".")
        return cls(int(step), int(index)) if _is_number(step) and _is_number(index) else None

    def __str__(self) -> str:
        return f"{self.step}.{self.index}"


def child_workflow_id(parent_id: str, position: Position, chain: str) -> str:
    """The workflow id of the subagent that works on a call, the same in every execution of the parent.

    `chain` is the run id that the parent's chain of executions began with: nobody can know it before, so nobody's
    session has that id by chance, and a parent that is opened again begins with children of its own.
    """
    seed = blake2b(f"{chain} {position}".encode(), digest_size=_SEED_BYTES).hexdigest()
    if len(parent_id.encode()) > _LONGEST_PARENT_BYTES:
        parent_id = blake2b(parent_id.encode(), digest_size=16).hexdigest()
    return f"{parent_id}/{position}{_MARK}{seed}"


def is_reserved(session_id: str) -> bool:
    """Whether the id has the form of a subagent's; no client starts a session of that name."""
    before, mark, seed = session_id.rpartition(_MARK)
    position = before.rpartition("/")[2]
    is_seed = len(seed) == 2 * _SEED_BYTES and all(letter in "0123456789abcdef" for letter in seed)
    return bool(mark) and is_seed and Position.parse(position) is not None


def entry_id(update_id: str) -> str:
    """A short id for the entry that an update brought; the caller's own may be long."""
    return blake2b(update_id.encode(), digest_size=_SEED_BYTES).hexdigest()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
