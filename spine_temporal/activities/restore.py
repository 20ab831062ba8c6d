"""A conversation fetched from where it was left."""

import logging
from dataclasses import replace

from spine_core import Agent, InMemoryCheckpointStore, Message, State, Usage
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from spine_temporal.activities.sealed_log import in_log
from spine_temporal.activities.step import last_text
from spine_temporal.agents.spec import HOLDS_RUNS
from spine_temporal.agents.teams import Team, is_team
from spine_temporal.contracts import names
from spine_temporal.contracts.continuation import RestoreInput, RestorePoint
from spine_temporal.contracts.state_form import read_state, write_state
from spine_temporal.contracts.step import unpriced
from spine_temporal.errors import AgentBroken, RunNotFound
from spine_temporal.history.restore_points import as_it_is_by_now, ledger_at
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.ledger import Ledger

_log = logging.getLogger(__name__)


async def restore(client: Client, agent: Agent | Team | None, task: RestoreInput, run_id: str) -> Ledger | None:
    """The conversation that `task` of the execution `run_id` names; None: there is none.

    It comes from its history, or from the agent's own backend. A team has none: each of its runs begins anew.

    Raises:
        ApplicationError: a history that must be there is not.
        AgentBroken: it is an agent's conversation, and a team cannot go on with it.
    """
    origin = task.origin
    if origin is not None and not task.same and not _is_fork(task):
        origin = await as_it_is_by_now(client, origin, run_id)
    found = await _of_history(client, origin, must=task.same or _is_fork(task))
    if is_team(agent):
        if found is not None and found.progress.spec is not None and found.progress.spec.team is None:
            raise AgentBroken(f"{task.agent!r} is a team here, and goes on with no conversation of an agent")
        return None
    if found is not None and agent is not None and not found.progress.opened:
        found = _with_system(found, agent)
    if task.same or _is_fork(task) or not task.named or agent is None:
        return found
    kept = await _of_backend(agent, task.session_id, must=found is None)
    if kept is None or (found is not None and not _goes_on(kept, found.state)):
        return found
    # Somebody went on with the conversation on the plain kernel since, or no history is left of it.
    return replace(found or Ledger(), state=kept, progress=_progress_of(kept, found))


def _with_system(ledger: Ledger, agent: Agent) -> Ledger:
    """A conversation that was closed before any worker had begun it, so that nobody gave it its system prompt."""
    system = [Message.system(agent.system)] if agent.system else []
    state = ledger.state.model_copy(update={"messages": [*system, *ledger.state.messages]})
    return replace(ledger, state=state)


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


async def _of_backend(agent: Agent, session_id: str, *, must: bool) -> State | None:
    store = agent.checkpoint
    if isinstance(store, InMemoryCheckpointStore):
        return None
    try:
        # The store that keeps sessions on this server would find the run that asks.
        state = await (store.get_put(session_id) if getattr(store, HOLDS_RUNS, False) else store.get(session_id))  # type: ignore[attr-defined]
    except ValueError as error:
        # What pydantic and json raise of a State that a backend holds and cannot read: NaN as a cost, say.
        if must:
            raise
        _log.warning(
            "session %r cannot be read from the agent's checkpoint backend; it goes on from its history: %s",
            session_id,
            in_log(error, str(error)),
        )
        return None
    if state is None:
        return None
    # Few conversations need it, and the package brings every backend along.
    from spine_backends.migrations import migrate

    written = migrate(write_state(state))
    return read_state(written, State.model_validate(written))


def _goes_on(kept: State, found: State) -> bool:
    return (kept.step, len(kept.messages)) > (found.step, len(found.messages))


def _progress_of(state: State, before: Ledger | None) -> Progress:
    known = before.progress if before is not None else Progress(turn=0)
    usage = Usage.model_validate(state.usage.model_dump())
    return replace(
        known,
        step=state.step,
        depth=state.depth,
        usage=usage,
        # The kernel's State does not say what was unknown of its cost.
        unpriced_tokens=max(known.unpriced_tokens, unpriced(usage)),
        tenant_id=state.tenant_id,
        last_text=last_text(state),
        calls=None,
        ending=None,
        answer=None,
    )
