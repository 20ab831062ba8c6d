"""The job on pydantic-ai, with its capability for Temporal."""

from typing import Any

from temporalio import workflow

from tests.bench import job

with workflow.unsafe.imports_passed_through():
    from pydantic_ai import Agent
    from pydantic_ai.durable_exec.temporal import PydanticAIPlugin, PydanticAIWorkflow, TemporalDurability
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel
    from pydantic_ai.usage import RequestUsage, UsageLimits


def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Call the tool as often as the question says, then answer."""
    assert info.instructions == job.SYSTEM
    steps, size = job.asked(messages[0].parts[-1].content)
    call_id = job.next_call(getattr(messages[-1].parts[-1], "tool_call_id", None), steps)
    parts: list[Any] = [TextPart(job.MESSAGE)]
    if call_id is not None:
        parts.append(ToolCallPart("look", {"size": size}, tool_call_id=call_id))
    # Without usage, FunctionModel would count the words of the conversation.
    usage = RequestUsage(input_tokens=job.INPUT_TOKENS, output_tokens=job.OUTPUT_TOKENS)
    return ModelResponse(parts=parts, usage=usage)


async def look(size: int) -> str:
    """Find something of that size."""
    return job.result(size)


agent = Agent(
    FunctionModel(model), name="bench", instructions=job.SYSTEM, tools=[look], capabilities=[TemporalDurability()]
)


@workflow.defn(name="bench.pydantic_ai")
class PydanticAIAgent(PydanticAIWorkflow):
    __pydantic_ai_agents__ = [agent]  # noqa: RUF012 # the plugin asks for a list

    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        result = await agent.run(job.question(steps, size), usage_limits=UsageLimits(request_limit=None))
        return str(result.output)


def worker() -> dict[str, Any]:
    """What its worker is given; the plugin adds the agent's activities."""
    return {"client_plugins": [PydanticAIPlugin()], "workflows": [PydanticAIAgent]}
