"""What the workflow must know of a tool call that the model asked for."""

from spine_core import Agent, ToolCall

from spine_temporal.agents.durable_options import approval_of, policy_of
from spine_temporal.contracts.json_form import json_form
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.journal.digest import digest_of


def planned_call(agent: Agent, call: ToolCall, default: ActivityPolicy) -> PlannedCall:
    """The plan of `call`; `default` is for what its tool does not say itself."""
    tool = agent.tools.get(call.name)
    if tool is None:
        return PlannedCall(id=call.id, name=call.name, known=False)
    policy = policy_of(tool, default)
    planned = PlannedCall(id=call.id, name=call.name, approval=approval_of(tool), policy=policy)
    if not tool.approve:
        return planned
    gate = {"approve": True, "parameters": tool.parameters, "digest": digest_of(json_form(call.arguments))}
    return planned.model_copy(update=gate)
