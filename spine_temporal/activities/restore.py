"""A conversation fetched from where it was left."""

import base64
import logging
import zlib
from dataclasses import replace
from typing import Final

from spine_backends.migrations import migrate
from spine_core import Agent, InMemoryCheckpointStore, State, Usage
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from spine_temporal.activities.step import last_text
from spine_temporal.agents.spec import HOLDS_RUNS
from spine_temporal.contracts import names
from spine_temporal.contracts.continuation import Restored, RestoreInput, RestorePoint
from spine_temporal.errors import RunNotFound
from spine_temporal.history.restore_points import as_it_is_by_now, ledger_at
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.snapshot import dump_ledger, dump_progress

_log = logging.getLogger(__name__)

# Up to this size it is left as it is: Temporal's UI shows it.
_READABLE_BYTES: Final = 32_000
_PART_BYTES: Final = 1_800_000


async def restore(client: Client, agent: Agent | None, task: RestoreInput, run_id: str) -> Ledger | None:
    """The conversation that `task` of the execution `run_id` names; None: there is none.

    It comes from its history, or from the agent's own backend.

    Raises:
        ApplicationError: a history that must be there is not.
    """
    origin = task.origin
    if origin is not None and not task.same and not _is_fork(task):
        origin = await as_it_is_by_now(client, origin, run_id)
    found = await _of_history(client, origin, must=task.same or _is_fork(task))
    if task.same or _is_fork(task) or not task.named or agent is None:
        return found
    kept = await _of_backend(agent, task.session_id)
    if kept is None or (found is not None and not _goes_on(kept, found.state)):
        return found
    # Somebody went on with the conversation on the plain kernel since, or no history is left of it.
    return replace(found or Ledger(), state=kept, progress=_progress_of(kept, found))


def parts_of(ledger: Ledger, id_: str) -> list[Restored]:
    """The ledger as results of activities, each small enough for the server."""
    written = dump_ledger(ledger)
    packed = len(written) > _READABLE_BYTES
    text = base64.b64encode(zlib.compress(written)).decode() if packed else written.decode()
    pieces = [text[start : start + _PART_BYTES] for start in range(0, len(text), _PART_BYTES)]
    return [
        Restored(
            id=id_ if number == 0 else f"{id_} {number}",
            progress=dump_progress(ledger.progress) if number == 0 else None,
            ledger=piece,
            packed=packed,
            parts=len(pieces),
            size_bytes=len(text),
        )
        for number, piece in enumerate(pieces)
    ]


def _is_fork(task: RestoreInput) -> bool:
    return task.origin is not None and task.origin.step is not None


async def _of_history(client: Client, origin: RestorePoint | None, *, must: bool) -> Ledger | None:
    if origin is None:
        return None
    try:
        return await ledger_at(client, origin)
    except RunNotFound as error:
        if not must:
            _log.info("the history of %s is gone: %s", origin.workflow_id, error)
            return None
        raise ApplicationError(
            f"the conversation cannot go on: {error}", type=names.CONVERSATION_LOST, non_retryable=True
        ) from None


async def _of_backend(agent: Agent, session_id: str) -> State | None:
    store = agent.checkpoint
    if isinstance(store, InMemoryCheckpointStore):
        return None
    # The store that keeps sessions on this server would find the run that asks.
    state = await (store.get_put(session_id) if getattr(store, HOLDS_RUNS, False) else store.get(session_id))  # type: ignore[attr-defined]
    return State.model_validate(migrate(state.model_dump(mode="json"))) if state is not None else None


def _goes_on(kept: State, found: State) -> bool:
    return (kept.step, len(kept.messages)) > (found.step, len(found.messages))


def _progress_of(state: State, before: Ledger | None) -> Progress:
    known = before.progress if before is not None else Progress(turn=0)
    return replace(
        known,
        step=state.step,
        depth=state.depth,
        usage=Usage.model_validate(state.usage.model_dump()),
        said=last_text(state),
        batch=None,
        ending=None,
        answer=None,
    )
