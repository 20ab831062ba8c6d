"""A team at work: its agents one after another, each as a child."""

import asyncio
from dataclasses import replace

from spine_core import StopReason
from temporalio import workflow

from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome
from spine_temporal.contracts.team import TeamPlan
from spine_temporal.journal.progress import pause
from spine_temporal.workflow.session import Conversation
from spine_temporal.workflow.status import stand
from spine_temporal.workflow.subagents import child_id, run_child, stop_child


async def run_team(conversation: Conversation, plan: TeamPlan) -> RunOutcome:
    """Let the members work; the outcome is the last one's, as in spine's own Sequential and Handoff."""
    said = conversation.request.input or ""
    current = plan.start or next(iter(plan.members))
    number = 0
    while True:
        number += 1
        outcome = await _member(conversation, str(number), Delegation(agent=plan.members[current], input=said))
        conversation.progress = replace(conversation.progress, usage=conversation.progress.usage + outcome.usage)
        following = _following(plan, outcome, number)
        if following is None or conversation.stop or not outcome.reason:
            return _outcome(conversation, outcome, number)
        current = following
        said = (outcome.answer or "") if plan.kind == "sequential" else said


def _following(plan: TeamPlan, outcome: SubagentOutcome, number: int) -> str | None:
    if plan.kind == "handoff":
        return outcome.transfer if number <= plan.max_handoffs and outcome.transfer in plan.members else None
    names = list(plan.members)
    return names[number] if number < len(names) else None


async def _member(conversation: Conversation, position: str, delegation: Delegation) -> SubagentOutcome:
    """Have a member work; its pauses are the team's."""
    task = asyncio.create_task(run_child(conversation, position, delegation, below=False))
    task.add_done_callback(lambda _: conversation.changed())
    told_to_stop, heard = False, 0
    try:
        while not task.done():
            seen = conversation.changes
            await workflow.wait_condition(lambda seen=seen: conversation.changes != seen)  # type: ignore[misc]
            heard = _follow(conversation, position, heard)
            if conversation.stop and not told_to_stop and position in conversation.children:
                told_to_stop = True
                await stop_child(position)
        return task.result()
    except asyncio.CancelledError:
        task.cancel()
        await workflow.wait([task])
        raise


def _follow(conversation: Conversation, position: str, heard: int) -> int:
    """Stand where the member stands, by its last word after the one numbered `heard`; the number of that."""
    told = conversation.heard.get(position)
    if told is None or told.number <= heard:
        return heard
    if conversation.progress.paused:
        stand(conversation, "running")
    if told.status == "paused":
        stand(conversation, "paused", ending=pause(), interrupt=told.interrupt)
    return told.number


def _outcome(conversation: Conversation, outcome: SubagentOutcome, number: int) -> RunOutcome:
    ending = Ending(reason=StopReason(outcome.reason or StopReason.ERROR), answer=outcome.answer, error=outcome.error)
    return RunOutcome(
        reason=ending.reason,
        answer=ending.answer,
        error=ending.error,
        usage=conversation.progress.usage,
        session_id=conversation.session_id,
        # A member whose workflow failed has no Result to give.
        result_of=child_id(str(number)) if outcome.reason else None,
    )
