"""What a heartbeat carries to the next attempt, and to whoever reads a step along."""

from pydantic import Field

from spine_temporal.contracts.base import WireModel


class AttemptProgress(WireModel):
    """The details of a heartbeat. The server keeps the last ones and gives them to the next attempt.

    No part of the conversation crosses here.
    """

    handovers: int = 0
    """How many attempts a stopping worker handed over, or a hook postponed; they count for none."""
    missed: int = 0
    """How many ended because no beat came: the worker was lost, or the machine was too busy to beat."""
    ended: dict[str, int] = Field(default_factory=dict)
    """How earlier attempts ended, in words, and how many ended like that."""


class Writing(WireModel):
    """What the model has written by now; a detail of its own, which only steps that are read along have."""

    written: str
    call: int = 0
    """How often the model was asked before, in the same attempt: a text that failed is given up."""
    asked: int = 0
    """How many messages the model was given."""
