"""Agents whose runs have one of everything that is counted."""

from typing import Any

from spine_core import Agent, ErrorAction, Message, Middleware, ModelResponse, StepContext, Usage, tool
from spine_core.testing import calls, text
from temporalio import workflow


class Passing(Exception):
    """What the middleware has the model asked again for."""


class OutOfDate:
    """A model that fails its first request of each process, then answers for a price."""

    model = "model-1"
    failed = False

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        if not self.failed:
            self.failed = True
            raise Passing("overloaded")
        usage = Usage(input_tokens=1000, output_tokens=20, cost_usd=0.02)
        return ModelResponse(message=Message.assistant("fine"), usage=usage)


class Scripted:
    """Answers by how often it has answered in that conversation: any number of runs may share it."""

    def __init__(self, *answers: ModelResponse) -> None:
        self.answers = answers

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        answered = sum(message.role == "assistant" for message in messages)
        return self.answers[answered].model_copy(deep=True)


class Again(Middleware):
    """Asks once more."""

    async def on_error(self, context: StepContext, error: Exception) -> ErrorAction:
        return ErrorAction.RETRY if isinstance(error, Passing) else ErrorAction.FAIL


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
async def broken() -> str:
    """Fail."""
    raise ValueError("no such file")


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay an invoice."""
    return f"paid {amount}"


def priced() -> Agent:
    return Agent(OutOfDate(), middleware=[Again()], name="priced")


def working() -> Agent:
    script = [calls(("add", {"a": 1, "b": 2}), ("broken", {})), calls(("nothing", {})), text("done")]
    return Agent(Scripted(*script), tools=[add, broken], name="working")


def payer() -> Agent:
    """Asks for two approvals at once."""
    return Agent(
        Scripted(calls(("pay", {"amount": 5}), ("pay", {"amount": 6})), text("paid")), tools=[pay], name="payer"
    )


def counter() -> Agent:
    """Takes enough steps for a second execution."""
    return Agent(Scripted(*[calls(("add", {"a": 1, "b": 2}))] * 4, text("3")), tools=[add], name="counter")


@workflow.defn(name="stranger")
class Stranger:
    """A workflow of the user's own, whose task fails."""

    @workflow.run
    async def run(self) -> None:
        raise ValueError("not a failure that ends a workflow")
