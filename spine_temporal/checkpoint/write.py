"""What a put adds to the history of the holder."""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from spine_core import State
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.checkpoint.chain import change, whole
from spine_temporal.checkpoint.delete import remove
from spine_temporal.checkpoint.records import BESIDE_BYTES, Signal, signals_of
from spine_temporal.checkpoint.session import Stored
from spine_temporal.connection.payload_limit import beyond
from spine_temporal.contracts import names
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.checkpoint import CheckpointRecord
from spine_temporal.contracts.json_form import json_bytes
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.state_form import write_state

_log = logging.getLogger(__name__)

# Far below what a server takes: 10,000 signals, 51,200 events, 50 MB.
MAX_SIGNALS: Final = 1_000
MAX_GROWTH_BYTES: Final = 4_000_000
_MOST_GROWTH_BYTES: Final = 16_000_000

# How the server says that an execution is closed, and that it is full.
_TAKES_NO_MORE: Final = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT})


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes into the holder `workflow_id`, which belongs to `task_queue`."""

    client: Client
    workflow_id: str
    task_queue: str

    async def append(self, stored: Stored, state: State) -> Stored | None:
        """Record what makes `state` of what is stored; None: it has to begin anew.

        Nothing is recorded, and `stored` itself is given back, when `state` equals it.

        Raises:
            InputTooLarge: the difference does not fit into a history.
        """
        step = change(stored.state, state)
        if step is not None and step.nothing:
            return stored
        if step is None or stored.run_id is None or outgrown(stored):
            return None
        token = _new_token()
        signals = await self._signals(CheckpointRecord(token=token, base=stored.token), step.body)
        handle: WorkflowHandle[Any, Any] = self.client.get_workflow_handle(self.workflow_id, run_id=stored.run_id)
        try:
            for each in signals:
                await handle.signal(names.PUT_SIGNAL, args=each)
        except RPCError as error:
            if error.status in _TAKES_NO_MORE:
                return None
            raise
        return replace(
            stored,
            state=step.after,
            token=token,
            grown_bytes=stored.grown_bytes + len(step.body),
            signals=stored.signals + len(signals),
        )

    async def begin(self, latest: Stored | None, state: State) -> Stored:
        """Record `state` whole, so that what follows can build on it.

        Raises:
            InputTooLarge: the State does not fit into a history.
        """
        anew = latest is not None and outgrown(latest)
        body = json_bytes(write_state(state))
        token, stages = _new_token(), () if latest is None or anew else latest.stages
        signals = await self._signals(CheckpointRecord(token=token), body)
        if len(signals) > 1:
            # Started anew with a part of it, the holder would have lost the session if this process died now.
            stage = f"{self.workflow_id}~{token}"
            for each in signals:
                await self._start(stage, each)
            base, token, stages = token, _new_token(), (*stages, stage)
            signals = signals_of(CheckpointRecord(token=token, base=base, holder=stage), dump(StateDelta()))
        run_id = await self._start(self.workflow_id, signals[0], anew=anew)
        if anew and latest is not None:
            await self._clear(latest.stages)
        return Stored(whole(body), token, run_id, whole_bytes=len(body), signals=1, stages=stages)

    async def _signals(self, put: CheckpointRecord, body: bytes) -> list[Signal]:
        taken = await beyond(len(body) + BESIDE_BYTES, self.client)
        return signals_of(put, body) if taken is None else signals_of(put, body, taken[1])

    async def _start(self, workflow_id: str, signal: Signal, *, anew: bool = False) -> str | None:
        policy = WorkflowIDConflictPolicy.TERMINATE_EXISTING if anew else WorkflowIDConflictPolicy.USE_EXISTING
        handle = await self.client.start_workflow(
            names.CHECKPOINT_WORKFLOW,
            id=workflow_id,
            task_queue=self.task_queue,
            id_conflict_policy=policy,
            start_signal=names.PUT_SIGNAL,
            start_signal_args=signal,
        )
        return handle.result_run_id

    async def _clear(self, stages: Iterable[str]) -> None:
        try:
            for stage in stages:
                await remove(self.client, stage)
        except RPCError as error:
            _log.warning("cannot remove what workflow %r no longer needs: %s", self.workflow_id, error.message)


def outgrown(stored: Stored) -> bool:
    """The holder is to be started anew, with the whole State.

    As that costs as much as the State weighs, a large one is left to grow for longer.
    """
    most = max(MAX_GROWTH_BYTES, min(stored.whole_bytes, _MOST_GROWTH_BYTES))
    return stored.run_id is not None and (stored.signals >= MAX_SIGNALS or stored.grown_bytes > most)


def _new_token() -> str:
    return secrets.token_hex(8)
