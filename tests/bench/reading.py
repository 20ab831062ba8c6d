"""What it takes to read a history back: replay by Temporal, fold by us."""

import time
from collections.abc import Sequence

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from spine_temporal import SpinePlugin
from spine_temporal.history.folded import fold_turn
from tests.bench.bare import BareAgent
from tests.bench.sides import Side


async def replay_s(side: Side, histories: Sequence[WorkflowHistory]) -> float:
    """Seconds to replay a run in the sandbox, in this process."""
    began_s = time.perf_counter()
    for history in histories:
        await _replayer(side).replay_workflow(history)
    return time.perf_counter() - began_s


async def fold_s(client: Client, histories: Sequence[WorkflowHistory]) -> float:
    """Seconds that the last activity of a run would wait on a worker that has nothing in its cache."""
    last = histories[-1]
    began_s = time.perf_counter()
    fold = await fold_turn(client, (last.workflow_id, last.run_id))
    took_s = time.perf_counter() - began_s
    if not fold.ledger.state.messages:
        raise RuntimeError(f"the fold of {last.workflow_id} knows no message")
    return took_s


def _replayer(side: Side) -> Replayer:
    if side == "bare":
        return Replayer(workflows=[BareAgent])
    return Replayer(workflows=[], plugins=[SpinePlugin([])])
