"""Agents that work one after another."""

from typing import Literal

from pydantic import Field

from spine_temporal.contracts.base import WireModel


class TeamPlan(WireModel):
    """Who is on a team, in which order they work.

    "sequential": each one's answer is the next one's input, the last one's Result is the team's. "handoff": `start`
    works on the input; whoever it transfers to works on the same input, at most `max_handoffs` times.
    """

    kind: Literal["sequential", "handoff"]
    members: dict[str, str] = Field(default_factory=dict)
    """Durable names of the agents by the names they have on the team; sequential: by their number."""
    start: str = ""
    max_handoffs: int = 5
