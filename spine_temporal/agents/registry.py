"""The agents of a worker, by name."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence

from spine_core import Agent, Guards

from spine_temporal.errors import AgentBroken, DuplicateAgent, UnknownAgent, UnnamedAgent

type AgentFactory = Callable[[], Agent | Awaitable[Agent]]
type Agents = Sequence[Agent] | Mapping[str, Agent | AgentFactory]


class AgentRegistry:
    """Agents by name; a factory is called once, when its agent is first needed.

    Raises:
        UnnamedAgent: an agent in the list has no name.
        DuplicateAgent: two agents in the list have one name.
        AgentBroken: an agent cannot run durably as it is configured.
    """

    def __init__(self, agents: Agents) -> None:
        named = dict(agents) if isinstance(agents, Mapping) else _by_name(agents)
        if "" in named:
            raise UnnamedAgent("an agent stands under an empty name; clients ask for an agent by its name")
        self._agents: dict[str, Agent] = {}
        self._factories: dict[str, AgentFactory] = {}
        self._building: dict[str, asyncio.Lock] = {}
        for name, agent in named.items():
            if isinstance(agent, Agent):
                self._agents[name] = _durable(name, agent)
            else:
                self._factories[name] = agent

    @property
    def names(self) -> list[str]:
        """The names of all agents, sorted."""
        return sorted({*self._agents, *self._factories})

    async def get(self, name: str) -> Agent:
        """The agent of that name.

        Raises:
            UnknownAgent: there is none; the message says which there are.
            AgentBroken: its factory raised, or made something that is no durable agent.
        """
        if name not in self._agents:
            if name not in self._factories:
                known = ", ".join(self.names) or "none"
                raise UnknownAgent(f"no agent {name!r}; this worker has: {known}")
            async with self._building.setdefault(name, asyncio.Lock()):
                if name not in self._agents:
                    self._agents[name] = await self._build(name)
        return self._agents[name]

    async def _build(self, name: str) -> Agent:
        try:
            made = self._factories[name]()
            agent = await made if inspect.isawaitable(made) else made
        except Exception as error:
            raise AgentBroken(f"the factory of agent {name!r} raised {type(error).__name__}: {error}") from error
        if not isinstance(agent, Agent):
            raise AgentBroken(f"the factory of agent {name!r} made a {type(agent).__name__}, not a spine_core.Agent")
        return _durable(name, agent)


def _by_name(agents: Sequence[Agent]) -> dict[str, Agent]:
    named: dict[str, Agent] = {}
    for position, agent in enumerate(agents):
        if not agent.name:
            raise UnnamedAgent(
                f"agent {position} of the list has no name; give it one with Agent(..., name='assistant') "
                "or pass agents={'assistant': agent}"
            )
        if agent.name in named:
            raise DuplicateAgent(f"two agents are named {agent.name!r}; clients ask for an agent by its name")
        named[agent.name] = agent
    return named


def _durable(name: str, agent: Agent) -> Agent:
    if type(agent.guards).check is not Guards.check:
        raise AgentBroken(
            f"agent {name!r} has guards of class {type(agent.guards).__name__} with a check() of its own; a durable "
            "run checks guards in its workflow, where only the limits of spine_core.Guards are known. Move the check "
            "into a middleware that raises StopRun"
        )
    gated = sorted(tool.name for tool in agent.tools.values() if tool.approve)
    if gated:
        raise AgentBroken(
            f"agent {name!r} has tools that wait for an approval ({', '.join(gated)}); durable runs cannot pause for "
            "one yet, and would never run them unapproved"
        )
    return agent
