"""What the workflow must know of a tool call that the model asked for."""

from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json
from spine_core import Agent, ToolCall

from spine_temporal.agents.durable_options import approval_of, local_s_of, policy_of
from spine_temporal.agents.longest import Lifetime, too_long
from spine_temporal.contracts.json_form import json_form, readable
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.format import call as as_call
from spine_temporal.format import shape, shortened
from spine_temporal.journal.digest import digest_of

# Of a payload. What does not fit is left out, and a person's edit is then looked at by the tool alone.
_SCHEMAS: Final = 0.25
_WIDEST: Final = 100


def planned_calls(
    agent: Agent,
    calls: Sequence[ToolCall],
    default: ActivityPolicy,
    payload_bytes: int = MAX_PAYLOAD_BYTES,
    *,
    ui_text: bool = False,
    lifetime: Lifetime | None = None,
) -> list[PlannedCall]:
    """The plan of `calls`, with each tool's schema once; `default` is for what a tool does not say itself.

    `ui_text`: Temporal's own UI may show their arguments, and not only what these are called. `lifetime`: that of the
    run's workers; a call that may take longer, and is for no other workers, is refused.
    """
    planned, shown, size_bytes = list[PlannedCall](), set[str](), 0
    for call in calls:
        one = _planned(agent, call, default, lifetime, _shown(call, ui_text=ui_text))
        if one.parameters is not None:
            size_bytes += 0 if one.name in shown else len(to_json(one.parameters, fallback=str))
            if one.name in shown or size_bytes > payload_bytes * _SCHEMAS:
                one = one.model_copy(update={"parameters": None})
            shown.add(one.name)
        planned.append(one)
    return planned


def _shown(call: ToolCall, *, ui_text: bool) -> str:
    if not call.arguments:
        return ""
    return readable(
        shortened(as_call(call.name, call.arguments) if ui_text else shape(call.name, call.arguments), _WIDEST)
    )


def _planned(
    agent: Agent, call: ToolCall, default: ActivityPolicy, lifetime: Lifetime | None, shown: str
) -> PlannedCall:
    tool = agent.tools.get(call.name)
    if tool is None:
        return PlannedCall(id=call.id, name=call.name, shown=shown, known=False)
    policy = policy_of(tool, default)
    if lifetime is not None and (refused := too_long(call.name, policy or default, lifetime)):
        # Nobody is asked to approve what is not carried out.
        return PlannedCall(id=call.id, name=call.name, shown=shown, refused=refused)
    approval, local_s = approval_of(tool), local_s_of(tool, policy or default)
    planned = PlannedCall(id=call.id, name=call.name, shown=shown, approval=approval, policy=policy, local_s=local_s)
    if not tool.approve:
        return planned
    gate = {"approve": True, "parameters": tool.parameters, "digest": digest_of(json_form(call.arguments))}
    return planned.model_copy(update=gate)
