"""The agents of a worker, by name."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from spine_core import Agent, Guards, Tool

from spine_temporal.agents.durable_options import gated_and_local, is_local
from spine_temporal.agents.subagents import SubAgent, agent_behind
from spine_temporal.agents.teams import Team, is_team, members_of
from spine_temporal.errors import (
    AgentBroken,
    AgentUnavailable,
    BadInput,
    DuplicateAgent,
    PluginUnusable,
    UnknownAgent,
    UnnamedAgent,
)
from spine_temporal.given import check_name, check_type, refused
from spine_temporal.kernel.closures import mcp_toolset_of
from spine_temporal.kernel.sandbox import limit_what_tools_take
from spine_temporal.plugins.allowlist import AllowList, enforce, enforced
from spine_temporal.plugins.deferred import DeferredProvider
from spine_temporal.plugins.loader import let_the_kernel_find_plugins
from spine_temporal.plugins.usage import refuse_unusable
from spine_temporal.redact import redact

if TYPE_CHECKING:
    from spine_temporal.mcp.tools import McpServers

type AgentFactory = Callable[[], Agent | Team | Awaitable[Agent | Team]]
type Agents = Sequence[Agent] | Mapping[str, Agent | Team | AgentFactory]

_log = logging.getLogger(__name__)


class AgentRegistry:
    """Agents by name; a factory is called once, when its agent is first needed.

    An agent that another one uses as a tool, or that is on a team, is there too: under its own name if it has been
    given to the worker, else as "boss/tool" or "team/member". For as long as the registry exists, no plugin is imported
    in this process but those of the distributions in `allowed_plugins`; None: any.

    Raises:
        UnnamedAgent: an agent in the list has no name.
        DuplicateAgent: two agents have one name.
        PluginUnusable: an agent uses a plugin that is not allowed, or does not fit the kernel.
        AgentBroken: an agent cannot run durably as it is configured.
        BadInput: something else than agents, or than names, was given.
    """

    def __init__(self, agents: Agents, *, allowed_plugins: Collection[str] | None = None) -> None:
        let_the_kernel_find_plugins()
        self._mcp_servers: McpServers | None = None
        self._not_adopted: set[str] = set()
        self._agents: dict[str, Agent | Team] = {}
        self._factories: dict[str, AgentFactory] = {}
        self._building: dict[str, asyncio.Lock] = {}
        check_type("agents", agents, Iterable, "a list of agents, or a dict of names to agents")
        allowed = AllowList.of(allowed_plugins)
        with enforced(allowed):
            self._add(dict(agents) if isinstance(agents, Mapping) else _by_name(agents))
        enforce(allowed, self)

    @property
    def names(self) -> list[str]:
        """The names of all agents that were given to the worker, sorted."""
        return sorted({*self._agents, *self._factories})

    async def get(self, name: str) -> Agent:
        """The agent of that name.

        Raises:
            UnknownAgent: there is none; the message says which there are.
            AgentUnavailable: its factory raised, or an MCP server of it cannot be reached; it may be built later.
            AgentBroken: its factory made something that is no durable agent.
        """
        found = await self.find(name)
        if not isinstance(found, Agent):
            raise AgentBroken(f"{name!r} is a team of {', '.join(members_of(found))}, not one agent")
        return found

    async def find(self, name: str) -> Agent | Team:
        """The agent, or the team, of that name.

        Raises:
            UnknownAgent: there is none; the message says which there are.
            AgentUnavailable: its factory raised, or an MCP server of it cannot be reached; it may be built later.
            AgentBroken: its factory made something that is no durable agent.
        """
        if name in self._agents and name not in self._not_adopted:
            return self._agents[name]
        if name in self._agents or name in self._factories:
            async with self._building.setdefault(name, asyncio.Lock()):
                if name in self._not_adopted:
                    await self._adopt(name, self._agents[name], close=False)
                    self._not_adopted.discard(name)
                if name not in self._agents:
                    self._agents[name] = await self._build(name)
            return self._agents[name]
        # Names of agents, and of tools, may have slashes of their own.
        for at in (at for at in range(len(name) - 1, 0, -1) if name[at] == "/"):
            below = await self._below(name[:at], name[at + 1 :])
            if below is not None:
                return below
        raise UnknownAgent(f"no agent {name!r}; this worker has: {', '.join(self.names) or 'none'}")

    async def aclose(self) -> None:
        """Close what was opened for the agents: the connections to MCP servers."""
        if self._mcp_servers is not None:
            await self._mcp_servers.aclose()

    def durable_name(self, agent: Agent, otherwise: str) -> str:
        """The name that `agent` was given to the worker under, else `otherwise`."""
        return next((name for name, each in self._agents.items() if each is agent), otherwise)

    def delegate(self, owner: str, tool: Tool) -> tuple[str, int] | None:
        """The agent of this worker that `tool` of `owner` delegates to: its name, how deep it may be nested."""
        behind = agent_behind(tool)
        if not isinstance(behind, SubAgent) or not runs_durably(behind.agent):
            return None
        return self.durable_name(behind.agent, f"{owner}/{tool.name}"), behind.max_depth

    def _add(self, named: Mapping[str, Agent | Team | AgentFactory]) -> None:
        if "" in named:
            raise UnnamedAgent("an agent has an empty name; clients ask for an agent by its name")
        for name, agent in named.items():
            check_name("an agent's name", name)
            if isinstance(agent, Agent) or is_team(agent):
                self._agents[name] = _checked(name, agent)
                self._not_adopted.add(name)
            elif callable(agent):
                self._factories[name] = agent
            else:
                raise refused(f"agent {name!r}", agent, "an Agent, a team, or a function that makes one")
        for name, agent in self._agents.items():
            self._keep_apart(name, agent)

    async def _below(self, owner: str, part: str) -> Agent | None:
        try:
            above = await self.find(owner)
        except UnknownAgent:
            return None
        return _parts(above).get(part)

    def _keep_apart(self, owner: str, above: Agent | Team) -> None:
        given = {*self._agents, *self._factories}
        for part, agent in _parts(above).items():
            name = self.durable_name(agent, f"{owner}/{part}")
            if name in given and self._agents.get(name) is not agent:
                what = f"tool {part!r} of {owner!r} runs" if isinstance(above, Agent) else f"is {part!r} on {owner!r}"
                raise DuplicateAgent(f"{name!r} is the name of the agent that {what}; give this other one another")

    async def _build(self, name: str) -> Agent | Team:
        try:
            made = self._factories[name]()
            agent = await made if inspect.isawaitable(made) else made
        except (BadInput, AgentBroken) as error:
            raise AgentBroken(_raised(name, error)) from error
        except Exception as error:
            # The kernel's own errors tell of a plugin as their cause.
            final = isinstance(error.__cause__, PluginUnusable)
            raise (AgentBroken if final else AgentUnavailable)(_raised(name, error)) from error
        if not (isinstance(agent, Agent) or is_team(agent)):
            raise AgentBroken(f"the factory of agent {name!r} made a {type(agent).__name__}, not a spine_core.Agent")
        self._keep_apart(name, agent)
        await self._adopt(name, agent, close=True)
        return _checked(name, agent)

    async def _adopt(self, name: str, agent: Agent | Team, *, close: bool) -> None:
        for each in (agent, *_parts(agent).values()):
            if not isinstance(each, Agent) or not any(map(mcp_toolset_of, each.tools.values())):
                continue
            # Few agents have such tools, and their code is a part of what a worker takes to start.
            from spine_temporal.mcp.tools import McpServers

            self._mcp_servers = self._mcp_servers or McpServers()
            try:
                await self._mcp_servers.adopt(each, close=close)
            except ConnectionError as error:
                raise AgentUnavailable(f"agent {name!r} cannot have its tools: {error}") from error


def runs_durably(agent: Agent) -> bool:
    """Whether its guards are limits that a workflow can check."""
    return type(agent.guards).check is Guards.check


def _parts(above: Agent | Team) -> dict[str, Agent]:
    """The agents below an agent, or on a team, by the names they have there."""
    if not isinstance(above, Agent):
        return members_of(above)
    behind = {name: agent_behind(tool) for name, tool in above.tools.items()}
    return {name: each.agent for name, each in behind.items() if isinstance(each, SubAgent)}


def _by_name(agents: Sequence[Agent]) -> dict[str, Agent]:
    named: dict[str, Agent] = {}
    for position, agent in enumerate(agents):
        check_type(
            f"agent {position} of the list",
            agent,
            Agent,
            "an Agent; a team, or what makes an agent, is named in a dict",
        )
        name = getattr(agent, "name", None)
        if not name:
            raise UnnamedAgent(
                f"agent {position} of the list has no name; give it one with Agent(..., name='assistant') "
                "or pass agents={'assistant': agent}"
            )
        if name in named:
            raise DuplicateAgent(f"two agents are named {name!r}; clients ask for an agent by its name")
        named[name] = agent
    return named


def _raised(name: str, error: Exception) -> str:
    return redact(f"the factory of agent {name!r} raised {type(error).__name__}: {error}")


def _with_its_provider(name: str, agent: Agent) -> None:
    """Give an agent that was made before its worker the provider itself."""
    if not isinstance(agent.provider, DeferredProvider):
        return
    try:
        agent.provider = agent.provider.provider()
    except PluginUnusable as error:
        raise PluginUnusable(f"agent {name!r} cannot have its model: {error}") from error


def _checked(name: str, agent: Agent | Team) -> Agent | Team:
    if not isinstance(agent, Agent):
        for member, each in members_of(agent).items():
            _checked(f"{name}/{member}", each)
        return agent
    if not runs_durably(agent):
        raise AgentBroken(
            f"agent {name!r} has guards of class {type(agent.guards).__name__} with a check() of its own; a durable "
            "run checks guards in its workflow, where only the limits of spine_core.Guards are known. Move the check "
            "into a middleware that raises StopRun"
        )
    # The module of the middleware is imported by now if the agent has it.
    limit_what_tools_take()
    _with_its_provider(name, agent)
    refuse_unusable(name, agent)
    for tool in agent.tools.values():
        if is_local(tool) and (problem := gated_and_local(tool.name, approve=tool.approve)):
            raise AgentBroken(f"agent {name!r} cannot be served: {problem}")
        behind = agent_behind(tool)
        if isinstance(behind, SubAgent):
            _with_its_provider(f"{name}/{tool.name}", behind.agent)
            refuse_unusable(f"{name}/{tool.name}", behind.agent)
        if isinstance(behind, SubAgent) and not runs_durably(behind.agent):
            _log.warning(
                "tool %r of agent %r is an agent that runs within the call, for its guards have a check() of "
                "their own: a crash begins it anew",
                tool.name,
                name,
            )
    return agent
