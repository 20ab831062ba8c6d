"""The job as an ordinary spine agent, its provider an object in the process."""

from typing import Any, Final

from spine_core import (
    Agent,
    Guards,
    Message,
    Middleware,
    ModelResponse,
    StepContext,
    ToolCall,
    ToolContext,
    Usage,
    tool,
)

from spine_temporal import durable
from tests.bench import job

NAME: Final = "bench"
_USAGE: Final = Usage(input_tokens=1200, output_tokens=60, cost_usd=0.0042)


def question(steps: int, size: int) -> str:
    """What the agent is asked: its provider reads off it how long to go on."""
    return f"{steps} steps of {size} bytes"


class Provider:
    """Calls the tool as often as the question says, then answers. It looks at the first and the last message only."""

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        steps, size = (int(word) for word in (messages[0].content or "").split() if word.isdigit())
        done = int((messages[-1].tool_call_id or "call_0").removeprefix("call_"))
        calls = [ToolCall(id=f"call_{done + 1}", name="look", arguments={"size": size})] if done < steps else []
        message = Message.assistant(job.MESSAGE, calls)
        return ModelResponse(message=message, usage=_USAGE, finish_reason="tool_calls" if calls else "stop")


@tool
async def look(size: int) -> str:
    """Find something of that size."""
    return job.result(size)


@durable(local=True)
@tool(name="look")
async def look_locally(size: int) -> str:
    """Find something of that size."""
    return job.result(size)


class Onlooker(Middleware):
    """A middleware that changes nothing; having its hooks is what costs."""

    async def before_model(self, ctx: StepContext) -> None:
        assert ctx.messages

    async def after_model(self, ctx: StepContext) -> None:
        assert ctx.response

    async def before_tool(self, ctx: ToolContext) -> None:
        assert ctx.call

    async def after_tool(self, ctx: ToolContext) -> None:
        assert ctx.result


def agent(*, hooked: bool, local: bool = False) -> Agent:
    """The agent, with no limit on its steps."""
    middleware = [Onlooker()] if hooked else []
    return Agent(
        Provider(),
        tools=[look_locally if local else look],
        middleware=middleware,
        guards=Guards(max_steps=None),
        name=NAME,
    )
