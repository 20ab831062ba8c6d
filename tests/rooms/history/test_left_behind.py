"""An execution that continued as new while its history held what it had not taken in yet.

Recorded: a subagent ended between the workflow's decision to continue and the moment when the server took it.
"""

from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from spine_temporal.contracts.base import load
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.history.fold import Fold
from spine_temporal.history.payloads import payload_bytes

FOLDER = Path(__file__).parent / "left_behind"


async def folded(*names: str) -> Fold:
    fold = Fold(pydantic_data_converter)
    for name in names:
        for event in WorkflowHistory.from_json("run", (FOLDER / f"{name}.json").read_text()).events:
            await fold.feed(event)
    return fold


async def test_the_conversation_is_as_the_workflow_handed_it_on() -> None:
    ledger = (await folded("before")).ledger

    after = WorkflowHistory.from_json("run", (FOLDER / "after.json").read_text())
    started = after.events[0].workflow_execution_started_event_attributes
    carried = load(RunRequest, await payload_bytes(started.input, pydantic_data_converter)).carried
    assert carried is not None
    assert ledger.progress.revision == carried.revision
    # Of three subagents it had learnt of the end of the last one.
    assert [len(content.outcomes) for content in ledger.calls] == [1, 1, 2]


async def test_what_was_left_behind_is_told_once() -> None:
    fold = await folded("before", "after")

    told = [event.data["result"] for event in fold.trace if event.type == "tool_result"]
    assert sorted(told)[-3:] == ["done T2-1-0", "done T2-1-1", "done T2-1-2"]
    assert told.count("done T2-1-1") == 1
    contents = [str(message.content) for message in fold.ledger.state.messages]
    assert contents.count("done T2-1-1") == 1
