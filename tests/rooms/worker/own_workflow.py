"""A user's own workflows, which run agents as children, or none."""

from temporalio import workflow

from spine_temporal.workflow import run_agent


@workflow.defn(name="invoice")
class Invoice:
    """Asks an agent, then does something of its own with the outcome."""

    @workflow.run
    async def run(self, question: str) -> list[str]:
        outcome = await run_agent("assistant", question)
        again = await run_agent("clerk", question, session_id=f"{workflow.info().workflow_id}-again")
        return [str(outcome.answer), outcome.reason.value, str(outcome.usage.total_tokens), again.session_id]


@workflow.defn(name="misled-invoice")
class MisledInvoice:
    """Asks an agent that is not there."""

    @workflow.run
    async def run(self) -> None:
        await run_agent("asistant", "go")


@workflow.defn(name="greeting")
class Greeting:
    """Asks nobody."""

    @workflow.run
    async def run(self) -> str:
        return "hello"
