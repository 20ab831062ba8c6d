"""Everything that is known of one run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client

from spine_temporal.cli.finding import find, named
from spine_temporal.cli.helpers import Helper, Helpers
from spine_temporal.cli.inflight import InFlight, in_flight
from spine_temporal.cli.listing import as_json, plain
from spine_temporal.cli.seen import Seen
from spine_temporal.cli.ui import page_of
from spine_temporal.client.approvals import Approval
from spine_temporal.client.pending import pending_in
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import follow
from spine_temporal.journal.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Whole:
    """A run: as the server sees it, as its history tells it, with who has to do with it."""

    seen: Seen
    fold: Fold
    now: list[InFlight]
    pending: list[Approval]
    helpers: list[Helper]
    page: str | None
    """Where the web UI shows it."""

    @property
    def ledger(self) -> Ledger:
        """What its history tells."""
        return self.fold.ledger

    @property
    def forked_from(self) -> RestorePoint | None:
        """Where it began, if in the midst of another run."""
        origin = self.ledger.origin
        return origin if origin is not None and origin.step is not None else None

    @property
    def continues(self) -> str | None:
        """The execution that it goes on with."""
        request = self.fold.request
        if request is None or request.origin is None or request.origin.step is not None:
            return None
        return request.origin.run_id

    @property
    def works_for(self) -> tuple[str, str] | None:
        """The run whose call it works on, the call's position."""
        parent = self.fold.request.parent if self.fold.request else None
        return (named(parent.workflow_id), parent.position) if parent is not None else None

    def as_json(self) -> dict[str, Any]:
        """All of it, for scripts."""
        ledger, origin, above = self.ledger, self.forked_from, self.works_for
        state, ending = ledger.state, ledger.progress.ending
        return as_json(self.seen) | {
            "reason": self.seen.reason or (ending.reason if ending else None),
            "answer": ledger.progress.answer,
            "error": ending.error if ending else None,
            "turn": ledger.progress.turn,
            "queued": [turn.model_dump() for turn in ledger.queue],
            "in_flight": [plain(each) for each in self.now],
            "pending": [plain(each) for each in self.pending],
            "decisions": [
                plain(made) | {"at": datetime.fromtimestamp(made.at_s, UTC).isoformat()} for made in ledger.decisions
            ],
            "plugins": ledger.plugins,
            "opened_with": ledger.opened_with,
            "moves": [plain(move) for move in ledger.moves],
            "team": ledger.spec.team.kind if ledger.spec.team else None,
            "children": [plain(each) for each in self.helpers],
            "forked_from": origin and origin.model_dump() | {"run": named(origin.workflow_id)},
            "continues": self.continues,
            "works_for": above and {"run": above[0], "call": above[1]},
            "ui": self.page,
            "usage": state.usage.model_dump(),
            "state": state.model_dump(mode="json"),
            "trace": [event.model_dump(mode="json") for event in self.fold.trace],
        }


async def read_whole(client: Client, given: str) -> Whole:
    """The run with the session id or workflow id `given`.

    Raises:
        RunNotFound: there is no such run.
        NotAnAgentRun: the id belongs to another kind of workflow.
    """
    run, seen, described = await find(client, given)
    fold = Fold(client.data_converter)
    helpers = Helpers(fold)
    fold.hear = helpers.hear
    async for event in follow(client, run.workflow_id, run.run_id, wait=False):
        await fold.feed(event)
        helpers.look()
    return Whole(
        seen=seen,
        fold=fold,
        now=await in_flight(client, described, fold.ledger, seen.status),
        pending=await pending_in(client, run.workflow_id, fold.ledger) if seen.going_on else [],
        helpers=helpers.all(),
        page=await page_of(client, run.workflow_id),
    )
