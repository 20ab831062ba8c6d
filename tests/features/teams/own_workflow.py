"""A user's own workflow, which runs an agent with a session id that the test knows."""

from temporalio import workflow

from spine_temporal.workflow import run_agent


@workflow.defn(name="errand")
class Errand:
    """Asks an agent that delegates."""

    @workflow.run
    async def run(self, session_id: str) -> list[str]:
        outcome = await run_agent("boss", "go", session_id=session_id)
        return [str(outcome.answer), outcome.reason.value, str(outcome.usage.total_tokens)]
