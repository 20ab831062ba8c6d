"""What a caller gave, refused at once unless it is what it should be."""

import reprlib
from types import UnionType
from typing import Final, TypeAliasType, get_args

from spine_temporal.contracts.base import is_time
from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.run_id import MAX_ID_BYTES, is_reserved
from spine_temporal.errors import BadInput

_A_NUL: Final = "has a NUL character, which PostgreSQL does not hold"


def refused(what: str, given: object, should: str) -> BadInput:
    """The error that says what `what` is, and what it should be."""
    return BadInput(f"{what} is {reprlib.repr(given)}; it is {should}")


def check_type(what: str, given: object, type_: type | UnionType, should: str) -> None:
    """Refuse what is no `type_`.

    Raises:
        BadInput: it is not.
    """
    if not isinstance(given, type_):
        raise refused(what, given, should)


def check_seconds(what: str, given: object, *, zero: str) -> None:
    """Refuse what is no time; `zero` says what 0 means.

    Raises:
        BadInput: it is not a number of seconds, or more than ten years.
    """
    if not is_time(given) and (given != 0 or isinstance(given, bool)):
        raise refused(what, given, f"a number of seconds up to ten years; 0 {zero}")


def check_bytes(what: str, given: object, *, zero: str) -> None:
    """Refuse what is no number of bytes; `zero` says what 0 means.

    Raises:
        BadInput: it is not a whole number from 0.
    """
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise refused(what, given, f"a whole number of bytes; 0 {zero}")


def check_name(what: str, given: object, *, empty: bool = False) -> None:
    """Refuse what cannot name anything on a server: an agent, a task queue, a tenant.

    Raises:
        BadInput: it is no text, or one that no server holds; or it is `empty`, and may not be.
    """
    if not isinstance(given, str) or readable(given) != given or not (given or empty):
        raise refused(what, given, "text" if empty else "text, and not empty")
    if "\0" in given:
        raise BadInput(f"{what} {given!r} {_A_NUL}")
    if (size_bytes := len(given.encode())) > MAX_ID_BYTES:
        raise BadInput(f"{what} {given[:40]!r}... has {size_bytes:,} bytes of {MAX_ID_BYTES:,}")


def check_word(what: str, given: object, words: TypeAliasType) -> None:
    """Refuse what is none of the words of a type that is an alias of a `Literal`.

    Raises:
        BadInput: it is none of them.
    """
    known = get_args(words.__value__)
    if given not in known:
        raise refused(what, given, f"one of {', '.join(map(repr, known))}")


def user_input(of: str, given: object, *, otherwise: str = "") -> str:
    """The input of a run, as a history can hold it; `otherwise` is the way on for whoever has none.

    Raises:
        BadInput: it is no text, or says nothing.
    """
    if not isinstance(given, str) or not given.strip():
        raise BadInput(f"the input of {of} is what the user says, {reprlib.repr(given)} says nothing{otherwise}")
    return readable(given)


def session_name(given: object, prefix: str) -> str | None:
    """The session id that a caller gave; None: it gave none. `prefix` goes before it to make the workflow id.

    Raises:
        BadInput: no session can have that id.
    """
    if given is None or given == "":
        return None
    if not isinstance(given, str | int) or isinstance(given, bool):
        raise BadInput(f"a session id is text, {given!r} is none")
    named = str(given)
    if readable(named) != named:
        raise BadInput(f"session id {named!r} has half of a surrogate pair, which no workflow id can have")
    if "\0" in named:
        raise BadInput(f"session id {named!r} {_A_NUL}")
    if is_reserved(named):
        raise BadInput(f"session id {named!r} has the form that the runs of subagents have; take another one")
    if (size_bytes := len(f"{prefix}{named}".encode())) > MAX_ID_BYTES:
        raise BadInput(f"the workflow id of session {named[:40]!r}... has {size_bytes:,} bytes of {MAX_ID_BYTES:,}")
    return named
