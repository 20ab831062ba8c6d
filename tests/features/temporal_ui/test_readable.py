"""Temporal's own UI and command say what a run is, what it does and what it waits for."""

import uuid
from typing import Any

import pytest
from spine_core import Agent, Guards, Message, ModelResponse, ToolCall, Usage, tool
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import UserMetadata, WorkflowMetadata
from temporalio.client import Client

from spine_temporal import Run
from tests.support.harness import Durable, Served, history_of

pytestmark = pytest.mark.durable

SECRET = "the otter is in the pond"


@tool(approve=True)
async def grep(pattern: str, limit: int = 3) -> str:
    """Look for a text."""
    return f"found {pattern}"


class Model:
    """Looks for what the user says, then says what it found."""

    model = "gpt-4o-mini"

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        last, usage = messages[-1], Usage(input_tokens=1000, output_tokens=234, cost_usd=0.0125)
        if last.role == "tool":
            return ModelResponse(message=Message.assistant(f"It says: *{last.content}*"), usage=usage)
        arguments = {"pattern": str(last.content), "limit": 1}
        calls = [ToolCall(id="call", name="grep", arguments=arguments)]
        return ModelResponse(message=Message.assistant("", calls), usage=usage)


def seeker() -> Agent:
    return Agent(Model(), tools=[grep], guards=Guards(max_steps=None))


async def text_of(client: Client, metadata: UserMetadata) -> list[str]:
    payloads = [each for each in (metadata.summary, metadata.details) if each.metadata]
    return [str(await client.data_converter.decode([each])) for each in payloads]


async def summaries(client: Client, run: Run) -> list[str]:
    """What stands beside the events of the run."""
    texts: list[str] = []
    for event in (await history_of(client, run)).events:
        texts += await text_of(client, event.user_metadata)
    return [text.strip("[]'\"") for text in texts]


async def details(client: Client, run: Run) -> str:
    handle = client.get_workflow_handle(run.workflow_id)
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def paused(served: Served, *, ui_text: bool) -> Run:
    served.ui_text = ui_text
    run = await served.start(SECRET, session_id=f"seek-{uuid.uuid4().hex[:6]}")
    assert (await run.result()).interrupted
    return run


async def test_names_and_numbers_are_shown_and_no_text(client: Client, durable: Durable) -> None:
    served = durable(seeker())
    run = await paused(served, ui_text=False)
    waiting = await details(client, run)
    assert "**paused** · turn 1 · step 1" in waiting
    assert "- call 1.0 `grep(pattern=…, limit=…)`: waits for a person's decision" in waiting
    assert "- 1,234 tokens · cost $0.0125" in waiting
    await run.decide("approve")
    assert (await run.next_result(after=1)).answer == f"It says: *found {SECRET}*"

    done, shown = await details(client, run), await summaries(client, run)
    assert "**idle** · turn 1 · step 2" in done
    assert "- stopped: final" in done
    for each in ("agent", "step 1 · gpt-4o-mini", "grep(pattern=…, limit=…)", "step 2 · gpt-4o-mini"):
        assert each in shown
    assert not [each for each in [waiting, done, *shown] if "otter" in each]


async def test_texts_are_shown_to_whom_they_may_be(client: Client, durable: Durable) -> None:
    served = durable(seeker())
    run = await paused(served, ui_text=True)
    await run.decide("approve")
    await run.next_result(after=1)

    assert f"- last answer: It says: \\*found {SECRET}\\*" in await details(client, run)
    shown = await summaries(client, run)
    assert f"agent · {SECRET}" in shown
    assert any(each.startswith("grep(pattern=") and "otter" in each for each in shown)


async def test_names_that_are_long_or_odd_are_shortened(client: Client, durable: Durable) -> None:
    class Odd:
        model = "🦦" * 500

        async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
            calls = [ToolCall(id="call", name="🦦" * 1000, arguments={"🦦" * 500: 1})]
            return ModelResponse(message=Message.assistant("", [] if messages[-1].role == "tool" else calls))

    run = await durable(Agent(Odd(), guards=Guards(max_steps=None))).start("hello")
    await run.result()

    events = (await history_of(client, run)).events
    sizes_bytes = [len(event.user_metadata.summary.data) for event in events]
    assert 40 < max(sizes_bytes) <= 200


async def test_every_event_that_may_have_a_summary_has_one(client: Client, durable: Durable) -> None:
    served = durable(seeker())
    run = await paused(served, ui_text=False)
    kinds = {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    }
    await run.decide("approve")
    await run.next_result(after=1)

    events = [event for event in (await history_of(client, run)).events if event.event_type in kinds]
    assert EventType.EVENT_TYPE_TIMER_STARTED in {event.event_type for event in events}
    assert [event.event_id for event in events if not event.user_metadata.summary.data] == []
