"""What the user says, brought to its session: a new one, an open one, a closed one."""

import asyncio
import uuid
from typing import Final, NamedTuple

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.begin_run import begin_run
from spine_temporal.client.server_errors import refuse_other_types, unreachable
from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.contracts.turn import OnBusy, TurnRequest, TurnTaken
from spine_temporal.errors import BadInput, RunNotFound, SessionBusy
from spine_temporal.history.follow import describe, first_event, latest_run_id
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.payloads import pack, unpack

_AGAIN_S: Final = 0.05
_TRIES: Final = 200


class TurnRef(NamedTuple):
    """Where the turn is that the user's words became."""

    run_id: str | None
    """The execution that took it."""
    turn: int | None
    """None: it is the first of its execution, which counts on from the one before it."""
    update_id: str = ""
    """Of the update that brought it; empty: its execution began with it."""


class SessionStarter:
    """Brings words to sessions whose workers poll `task_queue`."""

    def __init__(self, client: Client, task_queue: str, priority: Priority = Priority.default) -> None:
        self.client = client
        self.task_queue = task_queue
        self.priority = priority

    async def say(self, workflow_id: str, request: RunRequest, *, on_busy: OnBusy) -> TurnRef:
        """Begin, or go on with, the session `workflow_id`.

        A start is accepted also while no worker is there; a turn of an open session needs one.

        Raises:
            SessionBusy: another turn is in hand, and the caller will not wait, or too much waits already.
            NotAnAgentRun: the id belongs to another kind of workflow.
            ServerUnreachable: no server answers.
        """
        update_id = uuid.uuid4().hex
        for _ in range(_TRIES):
            run_id = await self.start(workflow_id, request)
            if run_id is not None:
                return TurnRef(run_id, 1)
            spoken = await self._say_more(workflow_id, request, on_busy, update_id)
            # None: it is closed, so its conversation is gone on with. Meanwhile somebody else may have done so.
            spoken = spoken or await self._reopen(workflow_id, request)
            if spoken is not None:
                return spoken
            await asyncio.sleep(_AGAIN_S)
        raise SessionBusy(f"session {request.session_id!r} opens and closes all the time; try again")

    async def start(self, workflow_id: str, request: RunRequest, *, anew: bool = False) -> str | None:
        """The new execution's id; None: there is one of that id, open, or with `anew` also closed.

        Raises:
            ServerUnreachable: no server answers.
        """
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if anew else WorkflowIDReusePolicy.REJECT_DUPLICATE
        try:
            return await begin_run(
                self.client, workflow_id, request, task_queue=self.task_queue, reuse=reuse, priority=self.priority
            )
        except WorkflowAlreadyStartedError:
            return None
        except RPCError as error:
            raise unreachable(self.client, error) if error.status is RPCStatusCode.UNAVAILABLE else error from error

    async def _say_more(self, workflow_id: str, request: RunRequest, on_busy: OnBusy, update_id: str) -> TurnRef | None:
        # Who waits for an update's answer shares what reads the run; whoever only starts runs does not import it.
        from spine_temporal.client.updates import RunOver, send_update

        words = TurnRequest(
            input=request.input or "",
            on_busy=on_busy,
            agent=request.agent,
            session_id=request.session_id,
            tokens_every_s=request.tokens_every_s,
            tenant_id=request.tenant_id,
        )
        if request.trace:
            words = words.model_copy(update={"trace": request.trace})
        try:
            to = await latest_run_id(self.client, workflow_id) if on_busy == "reject" else None
            if to is not None:
                words = words.model_copy(update={"run_id": to})
            run_id, taken = await send_update(
                self.client, workflow_id, names.TURN_UPDATE, pack(words), update_id, run_id=to
            )
        except (RunOver, RunNotFound):
            return None
        return TurnRef(run_id, unpack(TurnTaken, taken).turn, update_id)

    async def _reopen(self, workflow_id: str, request: RunRequest) -> TurnRef | None:
        try:
            info = (await describe(self.client, workflow_id)).workflow_execution_info
        except RunNotFound:
            # Deleted since: it begins anew.
            return None
        refuse_other_types(info)
        memo = info.memo.fields.get(names.STATUS_MEMO)
        if memo is not None:
            data = await payload_bytes(Payloads(payloads=[memo]), self.client.data_converter)
            session_id = load(StatusRecord, data).session_id
            if session_id != request.session_id:
                raise BadInput(
                    f"workflow {workflow_id!r} is session {session_id!r}, not {request.session_id!r}: give the session "
                    "another id, or the agent another workflow_id_prefix"
                )
        origin = RestorePoint(workflow_id=workflow_id, run_id=info.execution.run_id)
        await self._check_tenant(origin, request)
        run_id = await self.start(workflow_id, request.model_copy(update={"origin": origin}), anew=True)
        return TurnRef(run_id, None) if run_id is not None else None

    async def _check_tenant(self, origin: RestorePoint, request: RunRequest) -> None:
        if request.tenant_id is None:
            return
        first = await first_event(self.client, origin.workflow_id, origin.run_id)
        given = first.workflow_execution_started_event_attributes.input
        before = load(RunRequest, await payload_bytes(given, self.client.data_converter))
        if before.tenant_id not in (None, request.tenant_id):
            raise BadInput(
                f"session {request.session_id!r} does not belong to tenant {request.tenant_id!r}: "
                "give the session another id"
            )
