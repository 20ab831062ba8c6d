"""Teams: agents that work one after another under one name."""

from spine_core import Agent, Tool, raw_tool
from spine_orchestration import Handoff as KernelHandoff
from spine_orchestration import Sequential
from typing_extensions import TypeIs

from spine_temporal.contracts.team import TeamPlan
from spine_temporal.contracts.tool_marks import TRANSFERS_TO

_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string", "description": "Why hand off."}},
    "required": [],
}


class Handoff:
    """A team whose members can transfer the conversation to each other; for a worker, under a name.

    It has the constructor of `spine_orchestration.Handoff`, and a durable run of it gives the same Result: the last
    member's. It keeps nothing in the process: who transferred to whom is in the histories, so the path survives a
    crash, and one object serves any number of runs at once. `AgentWorker(client, agents={"desk": Handoff(...)})`.

    Like spine's, it gives each agent a tool `transfer_to_<peer>` for every peer.

    Raises:
        ValueError: `start` is not one of the agents.
    """

    def __init__(self, agents: dict[str, Agent], *, start: str, max_handoffs: int = 5) -> None:
        if start not in agents:
            raise ValueError(f"start agent '{start}' not in the team; it has: {', '.join(agents)}")
        self.agents = agents
        self.start = start
        self.max_handoffs = max_handoffs
        for name, agent in agents.items():
            for peer in agents:
                if peer != name:
                    transfer = _transfer_to(peer)
                    agent.tools[transfer.name] = transfer


type Team = Sequential | KernelHandoff | Handoff


def is_team(value: object) -> TypeIs[Team]:
    """Whether that is a team of agents."""
    return isinstance(value, Sequential | KernelHandoff | Handoff)


def members_of(team: Team) -> dict[str, Agent]:
    """The agents of a team by the names they have on it; those of a Sequential are numbered from 1."""
    if isinstance(team, Sequential):
        return {str(number): agent for number, agent in enumerate(team.agents, start=1)}
    return dict(team.agents)


def plan_of(team: Team, durable_names: dict[str, str]) -> TeamPlan:
    """What a run must know of the team; `durable_names` are its members' names in the worker."""
    if isinstance(team, Sequential):
        return TeamPlan(kind="sequential", members=durable_names)
    return TeamPlan(kind="handoff", members=durable_names, start=team.start, max_handoffs=team.max_handoffs)


def _transfer_to(peer: str) -> Tool:
    async def transfer(reason: str = "") -> str:
        return f"Handing off to {peer}. {reason}".strip()

    setattr(transfer, TRANSFERS_TO, peer)
    return raw_tool(f"transfer_to_{peer}", f"Hand off the conversation to the {peer} agent.", _SCHEMA, transfer)
