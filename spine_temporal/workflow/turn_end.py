"""What runs when a turn has ended, or pauses: the agent's hooks; its checkpoint is written."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome, Mirrored, MirrorInput
from spine_temporal.journal.entries import EndBegun, EndDone
from spine_temporal.workflow.execute import execute_activity
from spine_temporal.workflow.session import Session


def is_first(session: Session) -> bool:
    """Whether the hooks of `on_run_start` are still to run."""
    return "on_run_start" in session.spec.hooks and not session.progress.hooks_started


async def run_end_hooks(session: Session, ending: Ending | None, *, at: int | None = None) -> None:
    """Run the hooks of `on_run_end`, if the agent has any; `at`: the call that the turn pauses at."""
    spec, basis, first = session.spec, session.basis(), is_first(session)
    if ending is None or ("on_run_end" not in spec.hooks and not first):
        return
    number = session.progress.status_number
    task = EndInput(
        revision=basis.revision,
        order=basis.order,
        number=number,
        ending=ending,
        first=first,
        at=at,
        policy=spec.step_policy,
    )
    session.record(EndBegun(task))
    activity_id = f"{'end' if at is None else 'pause'}{f' {number}' if number else ''}"
    try:
        summary = "hooks of the end" if at is None else "hooks of the pause"
        outcome = await execute_activity(
            names.END_ACTIVITY, task, EndOutcome, spec.step_policy, activity_id=activity_id, summary=summary
        )
    except ActivityError as error:
        # Cancelled while its own hooks run: they have had their chance.
        workflow.logger.warning("the on_run_end hooks were cut off: %s", error.cause)
        raise
    session.record(EndDone(outcome))


async def mirror(session: Session, ending: Ending, policy: ActivityPolicy) -> None:
    """Write the conversation into the agent's own checkpoint backend; one that is away is logged."""
    basis = session.basis()
    task = MirrorInput(
        revision=basis.revision,
        order=basis.order,
        ending=session.progress.ending or ending,
        policy=policy,
    )
    activity_id = f"mirror {session.progress.turn}"
    try:
        done = await execute_activity(names.MIRROR_ACTIVITY, task, Mirrored, policy, activity_id=activity_id)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        done = Mirrored(error=str(error.cause))
    if done.error is not None:
        workflow.logger.warning("the turn is not in the agent's checkpoint backend: %s", done.error)
