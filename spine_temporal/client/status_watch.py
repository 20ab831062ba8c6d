"""The status that a run publishes, watched for everybody in this process who waits for it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.client import Client

from spine_temporal.client.pacing import until_next_look_s
from spine_temporal.client.server_errors import refuse_other_types
from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.history.follow import describe, when_closed
from spine_temporal.history.payloads import payload_bytes

# Paused on the server, that is: nothing has ended.
_OPEN: Final = (
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED,
)
# After the close of any other kind, another execution may go on with what this one was at.
_ENDED: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)

type Published = tuple[str, StatusRecord | None]
"""The latest execution's run id, and the status that it published; None: it is closed."""


class StatusWatch:
    """Looks at one workflow for everybody in this process who waits for it."""

    def __init__(self, client: Client, workflow_id: str) -> None:
        self.waiting = 0
        self._client = client
        self._workflow_id = workflow_id
        self._latest: Published | None = None
        self._ended = ""
        self._began_s = 0.0
        self._looked = asyncio.Event()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Look for as long as the body runs; somebody waits there."""
        self.waiting += 1
        self._began_s = time.monotonic()
        try:
            yield
        finally:
            self.waiting -= 1
            if not self.waiting and self._task is not None:
                self._task.cancel()
                self._task = None

    async def other_than(self, known: Published | None) -> Published:
        """What is published, as soon as it is not what is known; None: what a look finds that is still to come.

        To be called while it is `attended`.

        Raises:
            RunNotFound: there is no such run.
            NotAnAgentRun: the id belongs to another kind of workflow.
            ServerUnreachable: the server was away for more than five minutes.
        """
        if known is None:
            self._wanted.set()
        while known is None or self._latest is None or self._latest == known:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look())
            looked = asyncio.create_task(self._looked.wait())
            try:
                await asyncio.wait({looked, self._task}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                looked.cancel()
            if self._task.done():
                self._task.result()
            if known is None and self._latest is not None:
                return self._latest
        return self._latest

    async def _look(self) -> None:
        closing: asyncio.Task[None] | None = None
        try:
            while True:
                self._wanted.clear()
                ended, self._ended = self._ended, ""
                if self._latest is not None and self._latest[1] is not None and self._latest[0] == ended:
                    self._latest = (ended, None)
                else:
                    self._latest = await published_status(self._client, self._workflow_id)
                self._tell()
                if closing is None or closing.done():
                    closing = self._closing()
                with suppress(TimeoutError):
                    async with asyncio.timeout(until_next_look_s(self._began_s)):
                        await self._wanted.wait()
        finally:
            if closing is not None:
                closing.cancel()

    def _tell(self) -> None:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    def _closing(self) -> "asyncio.Task[None] | None":
        if self._latest is None or self._latest[1] is None:
            return None
        closing = asyncio.create_task(self._until_closed(self._latest[0]))
        # What it raises, the look that is due will meet as well; or the looks go on without it.
        closing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return closing

    async def _until_closed(self, run_id: str) -> None:
        event = await when_closed(self._client, self._workflow_id, run_id)
        if event.event_type in _ENDED:
            self._ended = run_id
        self._wanted.set()


async def published_status(client: Client, workflow_id: str) -> Published:
    """The latest execution's run id, and the status that it published; None: it is closed.

    Raises:
        RunNotFound: there is no such run.
        NotAnAgentRun: the id belongs to another kind of workflow.
    """
    info = (await describe(client, workflow_id)).workflow_execution_info
    refuse_other_types(info)
    if info.status not in _OPEN:
        return info.execution.run_id, None
    memo = info.memo.fields.get(names.STATUS_MEMO)
    if memo is None:
        return info.execution.run_id, StatusRecord(agent="", session_id="")
    written = await payload_bytes(Payloads(payloads=[memo]), client.data_converter)
    return info.execution.run_id, load(StatusRecord, written).model_copy(update={"revision": "", "order": ()})
