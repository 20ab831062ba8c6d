"""Agents with prices and without, and what a server's lists say of their runs."""

from typing import Any

from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client, WorkflowHistory

from spine_temporal.connection.visibility import list_pages
from tests.support.waiting import until


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay an invoice."""
    return f"paid {amount}"


class Down:
    """A provider that refuses every request."""

    async def complete(self, *_: Any, **__: Any) -> Any:
        raise ValueError("the key is not valid")


def priced(name: str = "priced", tenant_id: str | None = "acme", cost_usd: float = 0.25) -> Agent:
    """Answers, for a price that is known."""
    return Agent(ScriptedProvider(text("done", cost_usd=cost_usd)), name=name, tenant_id=tenant_id)


def unpriced(name: str = "unpriced", tenant_id: str | None = None) -> Agent:
    """Answers with a model of which nobody knows the price."""
    return Agent(ScriptedProvider(text("done")), name=name, tenant_id=tenant_id)


def payer(name: str = "payer") -> Agent:
    """Asks before it pays."""
    paying = calls(("pay", {"amount": 5}), cost_usd=0.5)
    return Agent(ScriptedProvider(paying, text("paid", cost_usd=0.25)), tools=[pay], name=name)


def boss(*below: Agent) -> Agent:
    """Has each of these do something, then answers."""
    asked = calls(*((agent.name or "", {"input": "go"}) for agent in below), cost_usd=1.0)
    tools = [agent.as_tool(name=agent.name, description="help") for agent in below]
    return Agent(ScriptedProvider(asked, text("done", cost_usd=1.0)), tools=tools, name="boss")


async def attributes_of(client: Client, workflow_id: str, **awaited: Any) -> dict[str, Any]:
    """The search attributes of a run, once those that are awaited are as they should be, by their names."""

    async def ours() -> dict[str, Any]:
        described = await client.get_workflow_handle(workflow_id).describe()
        found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
        return {name: value for name, value in found.items() if name.startswith("Spine")}

    async def are_there() -> bool:
        found = await ours()
        return all(found.get(name) == value for name, value in awaited.items())

    await until(are_there, f"{awaited} of {workflow_id}")
    return await ours()


async def listed(client: Client, query: str, count: int) -> list[WorkflowExecutionInfo]:
    """Wait until the server's lists, which are a moment behind, have so many workflows for the query."""
    rows = list[WorkflowExecutionInfo]()

    async def all_there() -> bool:
        rows[:] = [info async for page in list_pages(client, query) for info in page]
        return len(rows) >= count

    await until(all_there, f"{count} workflows for {query}")
    return rows


def upserts_in(history: WorkflowHistory) -> int:
    """How often a history's workflow set its search attributes."""
    return sum(event.HasField("upsert_workflow_search_attributes_event_attributes") for event in history.events)
