"""What is stored of a session, in its run or in its holder."""

import asyncio
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from spine_temporal.checkpoint.carrier import Holder, read_holder
from spine_temporal.checkpoint.chain import Link, folded
from spine_temporal.checkpoint.session import Place, Stored
from spine_temporal.checkpoint.tombstone import deletes, events_of, reaching, type_of
from spine_temporal.contracts import names
from spine_temporal.errors import SpineTemporalError
from spine_temporal.history.fold import Fold
from spine_temporal.history.payloads import at_s

_READS: Final = 3


async def read(client: Client, place: Place) -> Stored | None:
    """What is stored, from whichever of the two workflows changed it last; None: nothing, or it was deleted.

    Raises:
        ServerUnreachable: no server answers.
        NotAnAgentRun: one of the ids belongs to a workflow of another type.
    """
    with reaching(client):
        found = await asyncio.gather(_of_run(client, place.run), _of_holder(client, place.holder))
    newest = max((each for each in found if each), key=lambda each: each.at_s, default=None)
    return newest.stored if newest else None


async def read_put(client: Client, place: Place) -> Stored | None:
    """What was put last; None: nothing, or it was deleted.

    Raises:
        ServerUnreachable: no server answers.
        NotAnAgentRun: the holder's id belongs to a workflow of another type.
    """
    with reaching(client):
        found = await _of_holder(client, place.holder)
    return found.stored if found else None


@dataclass(frozen=True, slots=True)
class _Found:
    at_s: float
    stored: Stored | None
    """None: it was deleted then."""


async def _of_run(client: Client, workflow_id: str) -> _Found | None:
    events = await events_of(client, workflow_id)
    # A session may be named so that its run is called as the holder of another one.
    if not events or type_of(events) == names.CHECKPOINT_WORKFLOW:
        return None
    if deletes(events[-1]):
        return _Found(at_s(events[-1]), None)
    fold, changed_s = Fold(client.data_converter), 0.0
    for event in events:
        before = fold.ledger.state
        await fold.feed(event)
        changed_s = changed_s if fold.ledger.state is before else at_s(event)
    return _Found(changed_s, Stored(fold.ledger.state))


async def _of_holder(client: Client, workflow_id: str) -> _Found | None:
    for _ in range(_READS):
        holder = await read_holder(client, workflow_id)
        if holder.deleted_s:
            return _Found(holder.deleted_s, None)
        links = holder.chain.last()
        if not links:
            return None
        if whole := await _from_whole(client, links):
            return _Found(links[-1].at_s, _stored(holder, whole))
        # Another process has started the holder anew since, and removed what it no longer needs.
    raise SpineTemporalError(
        f"workflow {workflow_id!r} builds on a State that was kept in another workflow, which is gone; the session can "
        "only be deleted"
    )


async def _from_whole(client: Client, links: list[Link]) -> list[Link]:
    root = links[0].put
    if root.base is None or root.holder is None:
        return links
    stage = await read_holder(client, root.holder)
    before = stage.chain.until(root.base)
    return [*before, *links] if before else []


def _stored(holder: Holder, links: list[Link]) -> Stored:
    whole_bytes = len(links[0].body)
    staged = len(links) > 1 and links[1].put.holder is not None
    return Stored(
        state=folded(links),
        token=links[-1].put.token,
        run_id=holder.run_id,
        whole_bytes=whole_bytes,
        grown_bytes=holder.chain.size_bytes - (0 if staged else whole_bytes),
        signals=holder.chain.signals,
        stages=holder.chain.holders,
    )
