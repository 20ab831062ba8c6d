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
_USAGE: Final = Usage(input_tokens=job.INPUT_TOKENS, output_tokens=job.OUTPUT_TOKENS, cost_usd=0.0042)


class Provider:
    """Calls the tool as often as the question says, then answers; it looks at the question and the last message."""

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        question = messages[1] if messages[0].role == "system" else messages[0]
        steps, size = job.asked(question.content or "")
        call_id = job.next_call(messages[-1].tool_call_id, steps)
        calls = [ToolCall(id=call_id, name="look", arguments={"size": size})] if call_id is not None else []
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
        system=job.SYSTEM,
        name=NAME,
    )
