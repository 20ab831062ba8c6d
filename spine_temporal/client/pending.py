"""All the calls that wait for a person: a run's own, those of the agents below it."""

from temporalio.client import Client

from spine_temporal.client.approvals import Approval, approvals_in
from spine_temporal.errors import DecisionRefused, RunNotFound
from spine_temporal.history.folded import fold_execution
from spine_temporal.journal.ledger import Ledger, subagents_of


async def pending_in(client: Client, workflow_id: str, ledger: Ledger) -> list[Approval]:
    """In the order of the calls: where another agent works on one, what that agent waits for stands in its place."""
    return in_order(await pending_at(client, workflow_id, ledger))


def in_order(pending: dict[str, list[Approval]]) -> list[Approval]:
    """All of what `pending_at` found."""
    return [approval for some in pending.values() for approval in some]


async def pending_at(client: Client, workflow_id: str, ledger: Ledger) -> dict[str, list[Approval]]:
    """What waits at each of the run's own calls, by their positions, in their order."""
    found: dict[str, list[Approval]] = {}
    for approval in approvals_in(ledger, workflow_id):
        found[approval.position] = [approval]
    for child in subagents_of(ledger):
        if child.status == "paused":
            found[child.position] = await pending_below(client, child.workflow_id)
    return {position: found[position] for position in sorted(found, key=_order)}


async def pending_below(client: Client, workflow_id: str) -> list[Approval]:
    """What an agent below waits for, itself or those below it; nothing, if it is gone."""
    try:
        ledger = await fold_execution(client, (workflow_id, ""))
    except RunNotFound:
        return []
    return await pending_in(client, workflow_id, ledger)


def chosen(pending: list[Approval], call_id: str | None, run: str) -> Approval:
    """The approval that `call_id` names: the model's id of the call, its position, or "run/position" of another run's.

    None means the first.

    Raises:
        DecisionRefused: it names none, or several.
    """
    if not pending:
        raise DecisionRefused(f"session {run!r}: nothing waits for a decision")
    if call_id is None:
        return pending[0]
    for names in (_exactly, _by_position, _by_id):
        found = [approval for approval in pending if call_id == names(approval)]
        if len(found) == 1:
            return found[0]
        if found:
            known = ", ".join(_exactly(each) for each in found)
            raise DecisionRefused(f"session {run!r}: {len(found)} calls are called {call_id!r}; name one: {known}")
    raise Unlisted(call_id)


class Unlisted(Exception):
    """No waiting call has that name; the run itself knows whether one had it."""


def _exactly(approval: Approval) -> str:
    return f"{approval.run}/{approval.position}"


def _by_position(approval: Approval) -> str:
    return approval.position


def _by_id(approval: Approval) -> str:
    return approval.call_id


def _order(position: str) -> tuple[int, ...]:
    return tuple(int(part) for part in position.split(".") if part.isdecimal())
