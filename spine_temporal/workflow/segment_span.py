"""The span of an agent's work, which a worker records when the work stops."""

from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.segment import SegmentInput, SegmentRecorded
from spine_temporal.journal.counters import known_cost_usd
from spine_temporal.workflow.execute import execute_local_activity
from spine_temporal.workflow.session import Session

# Handing a span to the SDK's exporter takes no time; one that does is not waited for.
_TIMEOUT_S: Final = 5.0


async def record_segment(session: Session, ending: Ending) -> None:
    """Have the span of the work since the turn began, or went on, recorded; nothing while the turn is paused.

    Replayed code makes no spans: a local activity does, once, and the history holds one marker of it.

    Raises:
        asyncio.CancelledError: the run is cancelled.
    """
    progress = session.progress
    if not session.spec.traced or progress.status != "running" or progress.working_since_s is None:
        return
    segment, spent = session.segment, progress.segment_own
    task = SegmentInput(
        agent=session.request.agent,
        session_id=session.session_id,
        chain=segment.chain,
        turn=segment.turn,
        number=segment.number,
        caller=segment.caller,
        began_s=progress.working_since_s,
        reason=(progress.ending if progress.over and progress.ending is not None else ending).reason,
        steps=spent.step,
        input_tokens=spent.usage.input_tokens,
        output_tokens=spent.usage.output_tokens,
        cost_usd=known_cost_usd(spent),
    )
    id_ = f"segment {segment.turn} {segment.number}"
    try:
        await execute_local_activity(
            names.SEGMENT_ACTIVITY, task, SegmentRecorded, activity_id=id_, timeout_s=_TIMEOUT_S, attempts=1
        )
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("the span of turn %d was not recorded: %s", segment.turn, error.__cause__ or error)
