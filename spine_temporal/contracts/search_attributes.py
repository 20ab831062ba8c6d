"""The search attributes of a run: what lists of workflows are narrowed by."""

from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from spine_temporal.contracts import names


class SearchAttribute(NamedTuple):
    """An attribute that a namespace has to have before a run can set it."""

    name: str
    type: Literal["Keyword", "Int", "Double"]
    """In Temporal's words."""
    holds: str


# A dev server, and any that keeps its lists in SQL, has room for 10 of type Keyword, and for 3 of Int and of Double.
TABLE: Final = (
    SearchAttribute(names.STATUS_ATTRIBUTE, "Keyword", "running, paused, idle; then completed, failed, canceled"),
    SearchAttribute(names.AGENT_ATTRIBUTE, "Keyword", "the agent's name"),
    SearchAttribute(names.SESSION_ATTRIBUTE, "Keyword", "the session id"),
    SearchAttribute(names.TENANT_ATTRIBUTE, "Keyword", "the tenant, of a run that has one"),
    SearchAttribute(names.STOP_REASON_ATTRIBUTE, "Keyword", "why the last turn stopped, in the kernel's words"),
    SearchAttribute(names.PARENT_ATTRIBUTE, "Keyword", "the workflow id of the workflow that started the run"),
    SearchAttribute(names.STEP_ATTRIBUTE, "Int", "the steps taken"),
    SearchAttribute(names.TOKENS_ATTRIBUTE, "Int", "the tokens used"),
    SearchAttribute(names.COST_ATTRIBUTE, "Double", "the cost in USD; not set where a part of it is unknown"),
)
NAMES: Final = tuple(each.name for each in TABLE)

# Stores in SQL keep 255 characters of a Keyword; a server refuses a value of more than 2,048 bytes of JSON.
_MAX_CHARACTERS: Final = 255
_MAX_BYTES: Final = 2_000
_KEPT: Final = 120
_LARGEST_INT: Final = 2**63 - 1


def keyword(text: str) -> str:
    """The value that `text` is found by: itself, or if no store could hold it, its beginning with its digest.

    Two texts never have one value in common, also where they differ in what is cut off only.
    """
    # PostgreSQL holds no NUL.
    if len(text) <= _MAX_CHARACTERS and "\0" not in text and _escaped_bytes(text) <= _MAX_BYTES:
        return text
    beginning = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_KEPT])
    return f"{beginning}~{blake2b(text.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"


def whole_number(value: int) -> int | None:
    """The value of an Int; None: no store holds it."""
    return value if 0 <= value <= _LARGEST_INT else None


def at_start(agent: str, session_id: str, tenant_id: str | None) -> dict[str, str | int]:
    """Those of a run that no worker has begun, as far as whoever starts it knows them."""
    tenant = {names.TENANT_ATTRIBUTE: keyword(tenant_id)} if tenant_id else {}
    return {
        names.STATUS_ATTRIBUTE: "running",
        names.AGENT_ATTRIBUTE: keyword(agent),
        names.SESSION_ATTRIBUTE: keyword(session_id),
        names.STEP_ATTRIBUTE: 0,
        names.TOKENS_ATTRIBUTE: 0,
        **tenant,
    }


def _escaped_bytes(text: str) -> int:
    # As JSON in ASCII has it.
    return sum(1 if char.isascii() and char.isprintable() else 6 if ord(char) < 0x10000 else 12 for char in text) + 2
