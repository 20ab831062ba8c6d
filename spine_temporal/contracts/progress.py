"""What a heartbeat carries from one attempt of an activity to the next."""

from spine_temporal.contracts.base import WireModel


class AttemptProgress(WireModel):
    """The details of a heartbeat. The server keeps the last ones and gives them to the next attempt.

    No part of the conversation crosses here.
    """

    handovers: int = 0
    """How many attempts a stopping worker handed over, or a hook postponed; they count for none."""
    missed: int = 0
    """How many ended because no beat came: the worker was lost, or the machine was too busy to beat."""
    ended: dict[str, int] = {}
    """How earlier attempts ended, in words, and how many ended like that."""
