"""The job on Temporal's integration of Strands Agents.

Its agent would forget all but the last forty messages; here it keeps them, as the other sides do.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from temporalio import activity, workflow

from tests.bench import job

with workflow.unsafe.imports_passed_through():
    from strands.agent.conversation_manager import NullConversationManager
    from strands.models import Model
    from temporalio.strands_agents import StrandsPlugin, TemporalAgent
    from temporalio.strands_agents.workflow import activity_as_tool

_TIMEOUT: Final = timedelta(minutes=1)
_USAGE: Final = {
    "inputTokens": job.INPUT_TOKENS,
    "outputTokens": job.OUTPUT_TOKENS,
    "totalTokens": job.INPUT_TOKENS + job.OUTPUT_TOKENS,
}


class FakeModel(Model):
    """Calls the tool as often as the question says, then answers."""

    def update_config(self, **_: Any) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def stream(
        self, messages: list[Any], tool_specs: Any = None, system_prompt: str | None = None, **_: Any
    ) -> AsyncIterator[Any]:
        assert system_prompt == job.SYSTEM
        steps, size = job.asked(messages[0]["content"][0]["text"])
        call_id = job.next_call(messages[-1]["content"][0].get("toolResult", {}).get("toolUseId"), steps)
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": job.MESSAGE}}}
        yield {"contentBlockStop": {}}
        if call_id is not None:
            yield {"contentBlockStart": {"start": {"toolUse": {"name": "look", "toolUseId": call_id}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps({"size": size})}}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if call_id is not None else "end_turn"}}
        yield {"metadata": {"usage": _USAGE, "metrics": {"latencyMs": 1}}}


@activity.defn
async def look(size: int) -> str:
    """Find something of that size."""
    return job.result(size)


@workflow.defn(name="bench.strands")
class StrandsAgent:
    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        agent = TemporalAgent(
            model="fake",
            start_to_close_timeout=_TIMEOUT,
            system_prompt=job.SYSTEM,
            tools=[activity_as_tool(look, start_to_close_timeout=_TIMEOUT)],
            conversation_manager=NullConversationManager(),
            callback_handler=None,
        )
        return str(await agent.invoke_async(job.question(steps, size))).strip()


def worker() -> dict[str, Any]:
    """What its worker is given; the plugin adds the model's activities."""
    plugin = StrandsPlugin(models={"fake": FakeModel})
    return {"plugins": [plugin], "workflows": [StrandsAgent], "activities": [look]}
