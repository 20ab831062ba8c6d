"""The job on Temporal's integration of the OpenAI Agents SDK; its tracing is off."""

import json
from datetime import timedelta
from typing import Any, Final

from temporalio import activity, workflow

from tests.bench import job

with workflow.unsafe.imports_passed_through():
    from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
    from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
    from temporalio.openai_agents.testing import ResponseBuilders, TestModelProvider
    from temporalio.openai_agents.workflow import activity_as_tool

_TIMEOUT: Final = timedelta(minutes=1)


class FakeModel(Model):
    """Calls the tool as often as the question says, then answers."""

    async def get_response(self, system_instructions: str | None, input: Any, *_: Any, **__: Any) -> ModelResponse:
        assert system_instructions == job.SYSTEM
        first, last = (input, {}) if isinstance(input, str) else (input[0]["content"], input[-1])
        steps, size = job.asked(first)
        call_id = job.next_call(last.get("call_id"), steps)
        output = [ResponseBuilders.response_output_message(job.MESSAGE)]
        if call_id is not None:
            call = ResponseBuilders.tool_call(json.dumps({"size": size}), "look", call_id=call_id, item_id=call_id)
            output += call.output
        usage = Usage(requests=1, input_tokens=job.INPUT_TOKENS, output_tokens=job.OUTPUT_TOKENS)
        return ModelResponse(output=output, usage=usage, response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@activity.defn
async def look(size: int) -> str:
    """Find something of that size."""
    return job.result(size)


@workflow.defn(name="bench.openai_agents")
class OpenAIAgent:
    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        tool = activity_as_tool(look, start_to_close_timeout=_TIMEOUT)
        agent = Agent(name="bench", instructions=job.SYSTEM, tools=[tool], model="fake")
        off = RunConfig(tracing_disabled=True)
        result = await Runner.run(agent, job.question(steps, size), max_turns=None, run_config=off)
        return str(result.final_output)


def worker() -> dict[str, Any]:
    """What its worker is given."""
    plugin = OpenAIAgentsPlugin(
        model_params=ModelActivityParameters(start_to_close_timeout=_TIMEOUT),
        model_provider=TestModelProvider(FakeModel()),
        add_temporal_spans=False,
    )
    return {"client_plugins": [plugin], "workflows": [OpenAIAgent], "activities": [look]}
