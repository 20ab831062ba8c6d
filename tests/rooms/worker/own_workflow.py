"""A user's own workflows, which run agents as children, or none."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.payloads import pack
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


@workflow.defn(name="asking")
class Asking:
    """Asks an agent with whatever it was started with."""

    @workflow.run
    async def run(self, arguments: list[Any]) -> str:
        name, said, options = arguments
        if isinstance(said, int):
            # So many letters: there is no room for them in the argument.
            said = "x" * said
        return str((await run_agent(name, said, **options)).answer)


@workflow.defn(name="asking")
class AskingUnchecked:
    """The same, as it was before anything was refused."""

    @workflow.run
    async def run(self, arguments: list[Any]) -> str:
        name, said, options = arguments
        session = options["session_id"]
        request = pack(RunRequest(agent=name, input=said, session_id=session))
        await workflow.execute_child_workflow("spine.agent", request, id=f"spine-{session}", result_type=RawValue)
        return "3"


@workflow.defn(name="greeting")
class Greeting:
    """Asks nobody."""

    @workflow.run
    async def run(self) -> str:
        return "hello"
