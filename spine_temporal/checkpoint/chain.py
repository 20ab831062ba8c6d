"""The puts of one holder, as chains in which each names the one it starts from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic_core import from_json, to_jsonable_python
from spine_core import State

from spine_temporal.checkpoint.records import body_of
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.checkpoint import CheckpointRecord
from spine_temporal.contracts.json_form import json_bytes
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.state_form import read_state
from spine_temporal.journal import state_delta


class Link(NamedTuple):
    """A put that is complete."""

    put: CheckpointRecord
    body: bytes
    at_s: float


@dataclass(slots=True)
class Chain:
    """Fed with the signals of a holder, in their order.

    Processes that put on one session without knowing of each other make chains of their own in one history. The last
    put is followed back along its own chain, so what the others put is never mixed in.
    """

    signals: int = 0
    size_bytes: int = 0
    _parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    _links: dict[str, Link] = field(default_factory=dict)

    def add(self, put: CheckpointRecord, part: bytes, at_s: float) -> None:
        """Add one signal. A put that lacks parts, because its process died, does not count."""
        self.signals += 1
        parts = self._parts.setdefault(put.token, {})
        parts[put.part] = part
        if len(parts) == put.parts:
            body = body_of(put, [parts[index] for index in sorted(parts)])
            self.size_bytes += len(body)
            self._links[put.token] = Link(put, body, at_s)

    def last(self) -> list[Link]:
        """The chain of the last put, from its whole State on; empty when there is no put."""
        for token in reversed(self._links):
            if links := self.until(token):
                return links
        return []

    def until(self, token: str) -> list[Link]:
        """The chain of the put `token`, from its whole State on; empty when a put in it is missing."""
        links: list[Link] = []
        wanted: str | None = token
        while wanted is not None:
            link = self._links.get(wanted)
            if link is None:
                return []
            links.append(link)
            wanted = None if link.put.holder else link.put.base
        return links[::-1]

    @property
    def holders(self) -> tuple[str, ...]:
        """The other workflows that hold a base of these puts."""
        return tuple(link.put.holder for link in self._links.values() if link.put.holder)


def folded(links: Iterable[Link]) -> State:
    """The State that a chain makes."""
    first, *rest = links
    state = whole(first.body)
    for link in rest:
        state = state_delta.apply(state, load(StateDelta, link.body))
    return state


def whole(body: bytes) -> State:
    """The State that a put without a base holds; one that an older kernel wrote is brought up to date."""
    # Few conversations need it, and the package brings every backend along.
    from spine_backends.migrations import migrate

    written = migrate(from_json(body))
    return read_state(written, State.model_validate(written))


class Change(NamedTuple):
    """What turns one State into another, with what a reader will make of it."""

    body: bytes
    after: State

    @property
    def nothing(self) -> bool:
        """The States are equal."""
        return self.body == b"{}"


def change(before: State, after: State) -> Change | None:
    """How `before` becomes `after`; None: not as a difference, it has to be put whole.

    Raises:
        pydantic_core.PydanticSerializationError: `after` holds something that JSON cannot.
    """
    body = dump(state_delta.diff(before, after))
    # Read back, so that it shares no object with the caller's State, which goes on changing.
    made = state_delta.apply(before, load(StateDelta, body))
    return Change(body, made) if _loose(made) == _loose(after) else None


def _loose(state: State) -> bytes:
    # Python finds 1 == True == 1.0, JSON does not, and a difference is found by Python.
    return json_bytes(to_jsonable_python([state.pending, [(each.tool_calls, each.parts) for each in state.messages]]))
