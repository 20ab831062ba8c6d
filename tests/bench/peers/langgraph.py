"""The job on Temporal's LangGraph plugin: a node for the model, a node for the tool, both activities.

Messages are plain dictionaries in the form of OpenAI's chat, which the default converter carries as they are.
"""

import operator
from datetime import timedelta
from typing import Annotated, Any, Final, TypedDict

from temporalio import workflow

from tests.bench import job

with workflow.unsafe.imports_passed_through():
    from langgraph.graph import END, START, StateGraph
    from temporalio.langgraph import LangGraphPlugin, graph

_ACTIVITY: Final = {"execute_in": "activity", "start_to_close_timeout": timedelta(minutes=1)}


class State(TypedDict):
    messages: Annotated[list[dict[str, Any]], operator.add]


async def model(state: State) -> dict[str, Any]:
    """Call the tool as often as the question says, then answer."""
    system, question, *_ = messages = state["messages"]
    assert system["content"] == job.SYSTEM
    steps, size = job.asked(question["content"])
    call_id = job.next_call(messages[-1].get("tool_call_id"), steps)
    calls = [{"id": call_id, "name": "look", "args": {"size": size}}] if call_id is not None else []
    usage = {"input_tokens": job.INPUT_TOKENS, "output_tokens": job.OUTPUT_TOKENS}
    return {"messages": [{"role": "assistant", "content": job.MESSAGE, "tool_calls": calls, "usage_metadata": usage}]}


async def tool(state: State) -> dict[str, Any]:
    """Find something of the size that was called for."""
    calls = state["messages"][-1]["tool_calls"]
    found = [(call["id"], job.result(call["args"]["size"])) for call in calls]
    return {"messages": [{"role": "tool", "tool_call_id": id_, "content": content} for id_, content in found]}


async def calls_a_tool(state: State) -> str:
    """Where to go after the model; a function that is not async would ask for a thread."""
    return "tool" if state["messages"][-1]["tool_calls"] else END


def agent() -> Any:
    """The graph of an agent."""
    built = StateGraph(State)
    built.add_node("model", model, metadata=_ACTIVITY)
    built.add_node("tool", tool, metadata=_ACTIVITY)
    built.add_edge(START, "model")
    built.add_conditional_edges("model", calls_a_tool, ["tool", END])
    built.add_edge("tool", "model")
    return built


@workflow.defn(name="bench.langgraph")
class LangGraphAgent:
    @workflow.run
    async def run(self, steps: int, size: int) -> str:
        messages = [
            {"role": "system", "content": job.SYSTEM},
            {"role": "user", "content": job.question(steps, size)},
        ]
        unlimited = {"recursion_limit": 2 * steps + 2}
        state = await graph("bench").compile().ainvoke({"messages": messages}, unlimited)
        return str(state["messages"][-1]["content"])


def worker() -> dict[str, Any]:
    """What its worker is given; the plugin adds an activity for each node."""
    return {"plugins": [LangGraphPlugin(graphs={"bench": agent()})], "workflows": [LangGraphAgent]}
