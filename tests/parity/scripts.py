"""Random conversations: what the model says, what its tools do, what the hooks are up to."""

import functools
import types
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel
from spine_core import (
    Agent,
    ErrorAction,
    Guards,
    Message,
    ModelResponse,
    State,
    StepContext,
    StopReason,
    StopRun,
    Tool,
    ToolCall,
    ToolContext,
    Usage,
    image_part,
    text_part,
    tool,
)

from spine_temporal import durable


class Weather(BaseModel):
    """What a tool may return that is no text."""

    city: str
    degrees: float


@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool
def shout(text: str) -> str:
    """Say it louder; a sync tool."""
    return text.upper()


@tool
async def weather(city: str) -> Weather:
    """Return a model."""
    return Weather(city=city, degrees=21.5)


@tool
async def table() -> dict[str, Any]:
    """Return JSON."""
    return {"rows": [1, 2.5, None, "ü"]}


@tool
async def silent() -> None:
    """Return nothing."""


@tool
async def broken(why: str) -> str:
    """Raise."""
    raise RuntimeError(why)


TOOLS = [add, shout, weather, table, silent, broken]


def _locally(plain: Tool) -> Tool:
    found = plain.func
    own = types.FunctionType(found.__code__, found.__globals__, found.__name__, found.__defaults__, found.__closure__)
    made = durable(local=True)(tool(functools.update_wrapper(own, found)))
    assert isinstance(made, Tool)
    return made


LOCAL_TOOLS = [_locally(each) for each in TOOLS]

CALLS = st.sampled_from(
    [
        ("add", {"a": 1, "b": 2}),
        ("add", {"a": "x", "b": 2}),
        ("shout", {"text": "otters"}),
        ("weather", {"city": "Bergen"}),
        ("table", {}),
        ("silent", {}),
        ("broken", {"why": "no such otter"}),
        ("nowhere", {"z": 1}),
    ]
)


@dataclass(frozen=True)
class Turn:
    """One call of the model."""

    content: str | None
    calls: tuple[tuple[str, dict[str, Any]], ...]
    usage: Usage
    error: str | None = None
    parts: bool = False

    def response(self) -> ModelResponse:
        message = Message.assistant(
            self.content,
            [ToolCall(id=f"call_{n}", name=name, arguments=args) for n, (name, args) in enumerate(self.calls)],
        )
        if self.parts:
            message.parts = [text_part("look"), image_part(data="aGk=")]
        return ModelResponse(message=message, usage=self.usage, finish_reason="stop")


class Script:
    """A provider that says its turns, then "over"."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self._turns = iter(turns)

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        turn = next(self._turns, Turn("over", (), Usage()))
        if turn.error is not None:
            raise RuntimeError(turn.error)
        return turn.response()


@dataclass(frozen=True)
class Act:
    """What the middleware does at the nth call of a hook."""

    hook: str
    nth: int
    what: str


class Actor:
    """A middleware that does its acts, at the calls that they name."""

    def __init__(self, acts: tuple[Act, ...]) -> None:
        self._acts = {(act.hook, act.nth): act.what for act in acts}
        self._count: dict[str, int] = {}

    def _what(self, hook: str) -> str | None:
        nth = self._count.get(hook, 0)
        self._count[hook] = nth + 1
        return self._acts.get((hook, nth))

    async def on_run_start(self, state: State) -> None:
        self._on_state(state, self._what("on_run_start"))

    async def on_run_end(self, state: State, result: Any) -> None:
        what = self._what("on_run_end")
        if what == "rewrite":
            result.answer = "rewritten at the end"
        elif what != "stop":
            self._on_state(state, what)

    async def before_model(self, ctx: StepContext) -> None:
        what = self._what("before_model")
        ctx.extra["found"] = True
        if what == "preset":
            ctx.response = ModelResponse(message=Message.assistant("from the cache"), usage=Usage(input_tokens=1))
        elif what == "compact":
            ctx.messages = ctx.messages[-2:]
        elif what == "provider":
            ctx.provider = Script((Turn("another model", (), Usage(output_tokens=3)),))
        else:
            self._on_state(ctx.state, what)

    async def after_model(self, ctx: StepContext) -> None:
        what = self._what("after_model")
        assert ctx.extra["found"]
        assert ctx.response is not None
        if what == "continue":
            ctx.force_continue = True
        elif what == "usage":
            ctx.response.usage = Usage(input_tokens=7, cost_usd=0.1)
        elif what == "rewrite":
            ctx.response.message.content = "rewritten"
        else:
            self._on_state(ctx.state, what)

    async def before_tool(self, ctx: ToolContext) -> None:
        what = self._what("before_tool")
        if what == "skip":
            ctx.skip, ctx.result = True, {"preset": [1]}
        elif what == "arguments":
            ctx.args = {"a": 40, "b": 2}
        elif what == "timeout":
            ctx.timeout_s = 5.0
        else:
            self._on_state(ctx.state, what)

    async def after_tool(self, ctx: ToolContext) -> None:
        what = self._what("after_tool")
        if what == "result":
            ctx.result = f"screened {type(ctx.error).__name__}"
        else:
            self._on_state(ctx.state, what)

    async def on_error(self, ctx: StepContext, err: Exception) -> ErrorAction | None:
        what = self._what("on_error")
        if what in ("retry", "skip", "fallback", "fail"):
            return ErrorAction(what)
        self._on_state(ctx.state, what)
        return None

    def _on_state(self, state: State, what: str | None) -> None:
        match what:
            case "stop":
                raise StopRun(StopReason.GUARDRAIL, "not this")
            case "stop_error":
                raise StopRun(StopReason.ERROR, "budget unknown")
            case "scratch":
                found = state.scratch.setdefault("found", {"n": 0, "list": []})
                found["n"] += 1
                found["list"].append({"n": found["n"]})
            case "forget":
                state.scratch.clear()
            case "append":
                state.add_message(Message.user("by the way"))
            case "edit":
                state.messages[0].content = "edited"
            case "drop":
                del state.messages[0]
            case "spend":
                state.usage.cost_usd += 0.25
            case "tenant":
                state.tenant_id = "acme"
            case _:
                pass


_ON_STATE = ["stop", "stop_error", "scratch", "forget", "append", "edit", "tenant"]
_WHAT = {
    "on_run_start": ["scratch", "append", "edit", "tenant"],
    "on_run_end": ["rewrite", "scratch", "append"],
    "before_model": [*_ON_STATE, "drop", "spend", "preset", "compact", "provider"],
    "after_model": [*_ON_STATE, "drop", "spend", "continue", "usage", "rewrite"],
    "before_tool": [*_ON_STATE, "spend", "skip", "arguments", "timeout"],
    "after_tool": [*_ON_STATE, "spend", "result"],
    "on_error": ["retry", "skip", "fallback", "fail", "scratch", "stop"],
}
ACTS = st.sampled_from(sorted(_WHAT)).flatmap(
    lambda hook: st.builds(Act, st.just(hook), st.integers(0, 3), st.sampled_from(_WHAT[hook]))
)
USAGE = st.builds(
    Usage,
    input_tokens=st.integers(0, 20),
    output_tokens=st.integers(0, 20),
    cost_usd=st.sampled_from([0.0, 0.1, 0.3, 1.1]),
)
TURNS = st.builds(
    Turn,
    content=st.sampled_from([None, "", "thinking", "the answer"]),
    calls=st.lists(CALLS, max_size=3).map(tuple),
    usage=USAGE,
    error=st.sampled_from([None, None, None, None, "overloaded"]),
    parts=st.sampled_from([False, False, False, True]),
)
GUARDS = st.builds(
    Guards,
    max_steps=st.sampled_from([None, 0, 2, 12]),
    max_cost_usd=st.sampled_from([None, None, 0.5]),
    max_tokens=st.sampled_from([None, None, 30]),
)


@dataclass(frozen=True)
class Conversation:
    """Everything that makes a run what it is."""

    turns: tuple[Turn, ...]
    guards: Guards = field(default_factory=Guards)
    acts: tuple[Act, ...] = ()
    hooked: bool = True
    system: str | None = None
    tenant_id: str | None = None
    local: bool = False
    """The tools run as local activities."""

    def agent(self) -> Agent:
        """A new agent, so that nothing in the process survives from one run to the other."""
        return Agent(
            Script(self.turns),
            tools=LOCAL_TOOLS if self.local else TOOLS,
            guards=self.guards,
            middleware=[Actor(self.acts)] if self.hooked else [],
            system=self.system,
            tenant_id=self.tenant_id,
        )


CONVERSATIONS = st.builds(
    Conversation,
    turns=st.lists(TURNS, min_size=1, max_size=4).map(tuple),
    guards=GUARDS,
    acts=st.lists(ACTS, max_size=5).map(tuple),
    hooked=st.booleans(),
    system=st.sampled_from([None, "be brief"]),
    tenant_id=st.sampled_from([None, "t1"]),
    local=st.booleans(),
)
