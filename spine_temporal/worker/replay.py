"""Recorded histories, replayed by the workflows of the version that is installed."""

import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

from spine_temporal.client.read_model import ReadModel
from spine_temporal.errors import BadInput
from spine_temporal.worker.sandbox import for_client, sandbox
from spine_temporal.worker.workflows import OURS, WORKFLOWS

# As the SDK prints the failure that its core made.
_MESSAGE: Final = re.compile(r'message: "((?:[^"\\]|\\.)+)"')
_EVENT: Final = re.compile(r"HistoryEvent\(id: (\d+)")


class Replayed(ReadModel):
    """What came of one history."""

    source: str
    """The file it was read from, or the server's namespace."""
    workflow_id: str
    run_id: str
    type: str
    events: int
    problem: str | None
    """Why this version cannot go on with the run, in the SDK's words; None: it can."""
    event_id: int | None
    """The event that it cannot read as what it would have done; None: the SDK does not say."""


def read_files(paths: Iterable[Path]) -> list[tuple[str, WorkflowHistory]]:
    """The histories in these files, as `temporal workflow show --output json` and `WorkflowHistory.to_json` write them.

    Raises:
        BadInput: a file is none, or holds no history.
    """
    return [(str(path), _read(path)) for path in paths]


def _read(path: Path) -> WorkflowHistory:
    try:
        history = WorkflowHistory.from_json("", path.read_text())
        first = history.events[0].workflow_execution_started_event_attributes
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise BadInput(f"{path} holds no workflow history in JSON: {error}") from None
    return WorkflowHistory(first.workflow_id or path.stem, history.events)


async def read_found(client: Client, query: str, limit: int) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    """The histories of the executions that a query of the server's list finds, at most so many."""
    async for found in client.list_workflows(query, limit=limit):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        yield client.namespace, await handle.fetch_history()


async def replay(source: str, history: WorkflowHistory, converter: DataConverter) -> Replayed:
    """Have the workflows of this version do again what the history says; no agent, no model and no tool is needed."""
    first = history.events[0]
    started = first.workflow_execution_started_event_attributes
    known = {
        "source": source,
        "workflow_id": history.workflow_id,
        "run_id": started.original_execution_run_id,
        "type": started.workflow_type.name,
        "events": len(history.events),
    }
    if first.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED or started.workflow_type.name not in OURS:
        why = f"no workflow of spine-temporal: {started.workflow_type.name!r}; it has {', '.join(sorted(OURS))}"
        return Replayed(**known, problem=why, event_id=None)
    # Its core would print each failure where the report goes.
    quiet = Runtime(telemetry=TelemetryConfig(logging=None))
    # Else a task that a busy machine holds for 2 s is interrupted, and the SDK may wait for ever for its thread.
    replayer = Replayer(
        workflows=list(WORKFLOWS),
        workflow_runner=for_client(sandbox(None), converter),
        data_converter=converter,
        runtime=quiet,
        debug_mode=True,
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return Replayed(**known, problem=None, event_id=None)
    why = str(result.replay_failure)
    message = _MESSAGE.search(why)
    why = message[1].replace('\\"', '"') if message else why
    at = _EVENT.search(why)
    return Replayed(**known, problem=why, event_id=int(at[1]) if at else None)
