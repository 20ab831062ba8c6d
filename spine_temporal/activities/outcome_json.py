"""Outcomes, in a form that a history can hold."""

import os
import random
from collections.abc import Callable
from typing import Final, Protocol

from pydantic_core import PydanticSerializationError
from spine_core import Usage
from temporalio import activity

from spine_temporal.activities.encoding import encoded_bytes
from spine_temporal.connection.payload_limit import beyond
from spine_temporal.contracts.base import WireModel, dump, load

_COSTS: Final = ("usage", "spent")
# Seeded by the system once. To ask it each time is to let go of the interpreter, and under load to wait for it again
# behind the threads of the workflows: measured, 0.3 ms an activity.
_names: Final = random.Random()  # noqa: S311 - nothing is kept secret by them
os.register_at_fork(after_in_child=_names.seed)


class Recordable[Outcome](Protocol):
    """Work that tells what came of it."""

    @property
    def paid(self) -> dict[str, Usage]:
        """What it cost, by the field of the outcome."""

    def outcome(self, id_: str) -> Outcome:
        """What is recorded, under that random name."""


def random_id() -> str:
    """A random name for an outcome: two attempts of one activity differ in it."""
    return f"{_names.getrandbits(32):08x}"


def recorded[Outcome: WireModel](done: Recordable[Outcome], id_: str, lost: Callable[[str], Outcome]) -> Outcome:
    """What came of `done`; a lost outcome if that cannot be reported."""
    # Trying again would call the model or the tool again, with the same end.
    try:
        return done.outcome(id_)
    except (PydanticSerializationError, ValueError) as error:
        why = f"what a hook left in the State cannot be written as JSON: {error}"
        return _paid_for(lost(why), done.paid)


async def written[Outcome: WireModel](outcome: Outcome, lost: Callable[[str], Outcome]) -> tuple[Outcome, bytes]:
    """The outcome as the fold will read it, with its JSON; one that nobody could read becomes a lost one.

    So does one that is larger than a server takes, as the client sends it: it would be refused after the activity is
    over, and made again. What it cost is kept.
    """
    made = outcome
    try:
        data = dump(outcome)
        outcome = load(type(outcome), data)
    except (PydanticSerializationError, ValueError) as error:
        outcome = _paid_for(lost(f"the outcome cannot be written as JSON: {error}"), _costs(made))
        data = dump(outcome)
    found = await beyond(await encoded_bytes(data, "the outcome"), activity.client())
    if found is None:
        return outcome, data
    why = (
        f"the outcome has {found[0]:,} bytes, a Temporal payload holds {found[1]:,} here; "
        "return less, or a reference to where it is stored"
    )
    # Of a step, and of what another agent did, what it cost may not be known.
    unknown = {name: getattr(outcome, name) for name in ("free", "unpriced_tokens") if hasattr(outcome, name)}
    outcome = _paid_for(lost(why), _costs(made)).model_copy(update=unknown)
    return outcome, dump(outcome)


def _costs(outcome: WireModel) -> dict[str, Usage]:
    return {name: getattr(outcome, name) for name in _COSTS if hasattr(outcome, name)}


def _paid_for[Outcome: WireModel](lost: Outcome, paid: dict[str, Usage]) -> Outcome:
    try:
        # Nothing checks what users' code assigns to a usage; of an odd one nobody knows what it means.
        costs = {name: Usage.model_validate(usage.model_dump(warnings=False)) for name, usage in paid.items()}
    except ValueError:
        return lost
    return lost.model_copy(update=costs)
