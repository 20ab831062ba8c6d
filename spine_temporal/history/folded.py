"""Histories read from the server, as ledgers."""

from pydantic import ValidationError
from temporalio.client import Client

from spine_temporal.contracts.base import load
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import RunNotFound
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import first_event, follow, latest_run_id
from spine_temporal.history.ordered import Ordered
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.journal.apply import apply
from spine_temporal.journal.dangling_calls import with_unanswered
from spine_temporal.journal.entries import ConversationRestored
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.replacing import replace


async def fold_turn(client: Client, run: tuple[str, str], revision: str | None = None) -> Fold:
    """The turn in hand; `run` is workflow id, run id of the latest execution.

    With a `revision`, no further than that.
    """
    workflow_id, run_id = run
    fold = Fold(client.data_converter, Ordered(wanted=revision))
    async for event in follow(client, workflow_id, await turn_run_id(client, workflow_id, run_id), wait=False):
        await fold.feed(event)
        if fold.ordered.found is not None:
            break
    return fold


async def fold_execution(client: Client, run: tuple[str, str]) -> Ledger:
    """The ledger of one execution, without the trace of those before it; an empty run id means the latest.

    While the conversation is still to come from where it was left, it is as it was there.
    """
    workflow_id, run_id = run
    fold = Fold(client.data_converter)
    async for event in follow(client, workflow_id, run_id or None, wait=False, onward=False):
        await fold.feed(event)
    return await with_conversation(client, fold)


async def with_conversation(client: Client, fold: Fold) -> Ledger:
    """The ledger of a fold; while its conversation is still to come from where it was left, it is as it was there.

    The user's input of a run that was closed meanwhile stands at its end.
    """
    origin = fold.request.origin if fold.request is not None else None
    if origin is None or origin.step is not None or fold.ledger.restored:
        return fold.ledger
    try:
        before = await fold_execution(client, (origin.workflow_id, origin.run_id))
    except RunNotFound:
        return replace(fold.ledger, early=None)
    same = fold.request is not None and fold.request.carried is not None
    ledger, _ = apply(fold.ledger, ConversationRestored("", before.progress, same=same, ledger=before))
    if not fold.closed or same or ledger.first_input is None:
        return ledger
    return with_unanswered(ledger, [ledger.first_input])


async def fold_to(client: Client, run: tuple[str, str], revision: str) -> Ledger | None:
    """The ledger of one execution at that revision; None: its history does not lead there."""
    workflow_id, run_id = run
    fold = Fold(client.data_converter, Ordered(wanted=revision))
    async for event in follow(client, workflow_id, run_id, wait=False, onward=False):
        await fold.feed(event)
        if fold.ordered.found is not None:
            return fold.ordered.found
    return None


async def turn_run_id(client: Client, workflow_id: str, run_id: str | None) -> str:
    """The execution in which the turn that an execution began with had begun; itself, if that one is gone.

    Raises:
        RunNotFound: there is no such execution.
    """
    # A reset keeps the first execution's id in the started event: an execution's own is known from elsewhere.
    here = run_id or await latest_run_id(client, workflow_id)
    event = await first_event(client, workflow_id, here)
    started = event.workflow_execution_started_event_attributes
    try:
        request = load(RunRequest, await payload_bytes(started.input, client.data_converter))
    except ValidationError:
        # Whoever reads on says what is wrong with it.
        return here
    if request.carried is None:
        return here
    try:
        await first_event(client, workflow_id, request.carried.turn_run_id)
    except RunNotFound:
        return here
    return request.carried.turn_run_id
