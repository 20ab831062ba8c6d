"""Outcomes, in a form that a history can hold."""

from collections.abc import Callable
from typing import Protocol

from pydantic_core import PydanticSerializationError
from temporalio import activity

from spine_temporal.contracts.base import WireModel, dump, load
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.payloads import sent_bytes


class Recordable[Outcome](Protocol):
    """Work that tells what came of it."""

    def outcome(self, id_: str) -> Outcome:
        """What is recorded, under that random name."""


def recorded[Outcome](done: Recordable[Outcome], id_: str, lost: Callable[[str], Outcome]) -> Outcome:
    """What came of `done`; a lost outcome if that cannot be told."""
    # Trying again would call the model or the tool again, with the same end.
    try:
        return done.outcome(id_)
    except (PydanticSerializationError, ValueError) as error:
        return lost(f"what a hook left in the State cannot be written as JSON: {error}")


async def written[Outcome: WireModel](outcome: Outcome, lost: Callable[[str], Outcome]) -> tuple[Outcome, bytes]:
    """The outcome as the fold will read it, with its JSON; one that nobody could read becomes a lost one.

    So does one that is larger than a server takes, as the client sends it: it would be refused after the activity is
    over, and made again.
    """
    try:
        data = dump(outcome)
        outcome = load(type(outcome), data)
    except (PydanticSerializationError, ValueError) as error:
        outcome = lost(f"the outcome cannot be written as JSON: {error}")
        data = dump(outcome)
    size_bytes = await sent_bytes(data, activity.client().data_converter)
    if size_bytes <= MAX_PAYLOAD_BYTES:
        return outcome, data
    outcome = lost(
        f"the outcome has {size_bytes:,} bytes, a Temporal payload holds {MAX_PAYLOAD_BYTES:,}; "
        "return less, or a reference to where it is stored"
    )
    return outcome, dump(outcome)
