"""The `on_run_end` hooks of an agent, which get a run's Result.

What a hook changes here is there again as far as it is recorded: of the Result the answer, the stop reason, the error;
the State as a delta, with which the next turn of the conversation begins. The State's usage is the Result's; the other
fields of the Result are made from the history again. A run has an end each time it pauses.
"""

from spine_core import Agent, Result, StopRun, TraceEvent

from spine_temporal.activities.hooks import Hook, HookRaised
from spine_temporal.activities.state_copy import working_copy
from spine_temporal.activities.step import stopped
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome
from spine_temporal.journal import state_delta
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.result import result_of


async def end_run(agent: Agent, ledger: Ledger, trace: list[TraceEvent], task: EndInput, id_: str) -> EndOutcome:
    """Run the hooks on a copy of the State, with the Result the caller will get; say what they changed in either."""
    state = working_copy(ledger.state)
    result = result_of(ledger, trace).model_copy(update={"state": state, "usage": state.usage})
    before = _ending(result)
    error = None
    try:
        if task.first:
            with Hook("on_run_start"):
                await agent.chain.on_run_start(state)
        with Hook("on_run_end"):
            await agent.chain.on_run_end(state, result)
    except StopRun as stop:
        return EndOutcome(id=id_, delta=state_delta.diff(ledger.state, state), ending=stopped(stop))
    except HookRaised as raised:
        error = str(raised)
    after = _ending(result)
    return EndOutcome(
        id=id_, delta=state_delta.diff(ledger.state, state), ending=after if after != before else None, error=error
    )


def _ending(result: Result) -> Ending:
    return Ending(reason=result.stopped_reason, answer=result.answer, error=result.error)
