"""What a run is opened with: the request of a client, the spec that a worker answers."""

from typing import Any

from pydantic import Field, field_serializer
from spine_core import Guards

from spine_temporal.contracts.policy import ActivityPolicy
from spine_temporal.contracts.wire import Wire


class RunRequest(Wire):
    """The input of the workflow `spine.agent`.

    Written by hand, `{"agent": "assistant", "input": "pay invoice 7781"}` is enough: a run without `session_id` is
    its own conversation, named by its workflow id.
    """

    agent: str = Field(min_length=1)
    input: str = Field(min_length=1)
    session_id: str | None = None
    stop: bool = False
    """Stop before the first step: the caller's `should_cancel` already said so when the run was started."""


class AgentSpec(Wire):
    """What a run must know of its agent, recorded once, so that no later change of the agent breaks the run.

    Tools, provider, middleware and keys do not cross: they stay in the worker, looked up anew by every activity.
    """

    agent: str
    guards: Guards
    """Written out in full: a later kernel with other defaults must not change a run in flight."""
    system: str | None = None
    tenant_id: str | None = None
    parallel_tools: bool = False
    hooks: tuple[str, ...] = ()
    """The hook points that any of the agent's middleware implements, in the kernel's words, sorted."""
    step_policy: ActivityPolicy = ActivityPolicy()
    tool_policy: ActivityPolicy = ActivityPolicy()

    @field_serializer("guards")
    def _in_full(self, guards: Guards) -> dict[str, Any]:
        return guards.model_dump(mode="json")
