"""The agents of a storm: what their models ask for follows from the conversation, what their tools did is kept."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from spine_core import Agent, Guards, Interrupt, Message, ModelResponse, Result, State, Tool, ToolCall, Usage, tool
from temporalio import activity

from spine_temporal import durable

# Where an agent can be held up.
PLACES: Final = ("model", "tool", "run_start", "run_end")
# Of each answer of a model.
COST_USD: Final = 0.25


@dataclass(frozen=True)
class Look:
    """What the agent is on one worker."""

    gated: frozenset[str] = frozenset({"pay"})
    missing: frozenset[str] = frozenset()
    helper_is_an_agent: bool = True
    hooks: frozenset[str] = frozenset({"run_start", "run_end"})
    parallel: bool = True
    max_steps: int | None = None
    max_cost_usd: float | None = None

    @property
    def guarded(self) -> bool:
        """A guard may end a turn."""
        return self.max_steps is not None or self.max_cost_usd is not None


@dataclass(frozen=True)
class Effect:
    """A tool's code was carried through."""

    activity_id: str
    attempt: int
    run_id: str
    local: bool


@dataclass
class World:
    """What lies outside of all workers: the gates, and what the tools have done, by the key of the call."""

    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    effects: dict[str, list[Effect]] = field(default_factory=lambda: defaultdict(list))
    ticks: int = 0
    local: bool = False
    """The tool `add` runs as a local activity, where it is not gated."""

    def __post_init__(self) -> None:
        for place in PLACES:
            self.gates[place] = asyncio.Event()
        self.release()

    def hold(self, place: str) -> None:
        self.gates[place].clear()

    def release(self, *places: str) -> None:
        for place in places or PLACES:
            self.gates[place].set()

    async def pass_by(self, place: str) -> None:
        self.ticks += 1
        await self.gates[place].wait()
        self.ticks += 1

    async def do(self, key: str) -> str:
        await self.pass_by("tool")
        info = activity.info()
        self.effects[key].append(Effect(info.activity_id, info.attempt, info.workflow_run_id or "", info.is_local))
        return f"did {key}"

    def agents(self, look: Look) -> dict[str, Agent]:
        """The agent as it is on one worker, and its helper."""
        helper = self._agent(look, [], name="helper")
        other = helper.as_tool(name="helper", description="Help.") if look.helper_is_an_agent else self._plain_helper()
        return {"agent": self._agent(look, [other]), "helper": helper}

    def _agent(self, look: Look, more: list[Tool], name: str | None = None) -> Agent:
        tools = {each.name: each for each in (self._tool("add", look), self._tool("pay", look), self._ask(), *more)}
        return Agent(
            Obedient(self),
            tools=[each for name, each in tools.items() if name not in look.missing],
            middleware=[_HOOKS[hook](self) for hook in sorted(look.hooks)],
            guards=Guards(max_steps=look.max_steps, max_cost_usd=look.max_cost_usd),
            parallel_tools=look.parallel,
            name=name,
        )

    def _tool(self, name: str, look: Look) -> Tool:
        async def do(key: str) -> str:
            """Do something, once."""
            return await self.do(key)

        do.__name__ = name
        made: Tool = tool(approve=name in look.gated)(do)
        return durable(local=True)(made) if self.local and name == "add" and not made.approve else made

    def _ask(self) -> Tool:
        async def ask(key: str) -> str:
            """Ask a person."""
            raise Interrupt({"about": key})

        made: Tool = tool(ask)
        return made

    def _plain_helper(self) -> Tool:
        async def helper(input: str) -> str:
            """Help."""
            return await self.do(input.split()[0])

        made: Tool = tool(helper)
        return made


class Obedient:
    """A model that does what the user's last message says, then answers "done" and the first word of it.

    "T7 add pay | helper:add,pay" is two steps: the calls `add` and `pay`, then one to the helper, who is told
    "T7-1-0 add pay". A call's key, and its id behind "c-", is made of the first word, the step, the index.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        said = max(at for at, message in enumerate(messages) if message.role == "user")
        step = sum(message.role == "assistant" for message in messages[said:])
        await self._world.pass_by("model")
        word, steps = parse(str(messages[said].content))
        usage = Usage(input_tokens=1, output_tokens=1, cost_usd=COST_USD)
        if step >= len(steps):
            return ModelResponse(message=Message.assistant(f"done {word}"), usage=usage, finish_reason="stop")
        asked = []
        for index, call in enumerate(steps[step]):
            key, (name, *_unused, orders) = f"{word}-{step}-{index}", call.partition(":")
            arguments = {"input": f"{key} {orders.replace(',', ' ')}"} if name == "helper" else {"key": key}
            asked.append(ToolCall(id=f"c-{key}", name=name, arguments=arguments))
        return ModelResponse(message=Message.assistant(None, asked), usage=usage, finish_reason="tool_calls")


def parse(text: str) -> tuple[str, list[list[str]]]:
    """The first word, and the calls of each step."""
    word, _, orders = text.partition(" ")
    return word, [step.split() for step in orders.split("|") if step.strip()]


class _AtTheStart:
    def __init__(self, world: World) -> None:
        self._world = world

    async def on_run_start(self, state: State) -> None:
        await self._world.pass_by("run_start")
        state.scratch["starts"] = state.scratch.get("starts", 0) + 1


class _AtTheEnd:
    def __init__(self, world: World) -> None:
        self._world = world

    async def on_run_end(self, state: State, result: Result) -> None:
        await self._world.pass_by("run_end")
        state.scratch["ends"] = state.scratch.get("ends", 0) + 1


_HOOKS: Final[dict[str, Any]] = {"run_start": _AtTheStart, "run_end": _AtTheEnd}
