"""What a run is opened with: the request of a client, the spec that a worker answers."""

from typing import Any, Self

from pydantic import Field, field_serializer, model_validator
from spine_core import Guards

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.base import LONGEST_S, MIN_TOKENS_EVERY_S, GivenModel, WireModel
from spine_temporal.contracts.continuation import CarryOver, RestorePoint
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.policies import DEFAULT_POLICY, ActivityPolicy, ContinuePolicy
from spine_temporal.contracts.team import TeamPlan


class Parent(WireModel):
    """The run whose tool call this run is."""

    workflow_id: str
    position: str
    """The call, "step.index"."""
    report_cancel: bool = False
    """The parent wants to be sent how this run ends when it is cancelled: the server would say that it was, and not
    what it has used up."""


class Budget(WireModel):
    """What the runs above have left to spend; None: they set no limit."""

    cost_usd: float | None = None
    tokens: int | None = None


class AgentSpec(WireModel):
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
    step_policy: ActivityPolicy = DEFAULT_POLICY
    tool_policy: ActivityPolicy = DEFAULT_POLICY
    remembers: bool = False
    """The agent has a durable checkpoint backend of its own: it may know a conversation."""
    mirrored: bool = False
    """Each turn's end is written there."""
    attributes: bool = False
    """The server has SpineStatus and SpineAgent: what a worker wrote that knew of no others."""
    search_attributes: tuple[str, ...] = ()
    """Those of our search attributes that the server has: a workflow that sets another one never gets on."""
    model: str = ""
    """What its provider calls the model; empty: the provider does not say."""
    continuing: ContinuePolicy = ContinuePolicy.model_construct()
    team: TeamPlan | None = None
    """It is no single agent: these work for it."""
    payload_bytes: int = MAX_PAYLOAD_BYTES
    """The largest payload that the server takes."""
    plugins: dict[str, str] = Field(default_factory=dict)
    """The versions of the distributions that it is made of, spinekit and spine-temporal among them; as "prices", of
    the tables that its cost is counted by."""
    traced: bool = False
    """The worker records spans: the workflow has it record those of the agent's own work."""

    @property
    def settable(self) -> tuple[str, ...]:
        """The search attributes that the workflow may set."""
        known = (names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE) if self.attributes else ()
        return self.search_attributes or known

    @field_serializer("guards")
    def _in_full(self, guards: Guards) -> dict[str, Any]:
        return guards.model_dump(mode="json")


class RunRequest(GivenModel):
    """The input of the workflow `spine.agent`.

    Written by hand, `{"agent": "assistant", "input": "pay invoice 7781"}` is enough: a run without `session_id` is
    its own conversation, named by its workflow id.
    """

    agent: str = Field(min_length=1)
    input: str | None = None
    """What the user says; None: the conversation goes on as it is."""
    session_id: str | None = None
    stop: bool = False
    """Stop before the first step: the caller's `should_cancel` was true already when the run was started."""
    tokens_every_s: float | None = Field(default=None, ge=MIN_TOKENS_EVERY_S, le=LONGEST_S, allow_inf_nan=False)
    """How often the text of an answer is streamed while the model writes it; None: not before it is written."""
    tenant_id: str | None = Field(default=None, min_length=1)
    """Whose run it is; None: the agent says."""
    ui_text: bool = False
    """Texts of the conversation may be shown to whoever looks at Temporal's own UI; else names and numbers are."""
    session_ttl_s: float = Field(default=0.0, ge=0, le=LONGEST_S, allow_inf_nan=False)
    """How long the conversation stays open for a further turn after its last one."""
    named: bool = False
    """The caller chose the session id: the agent's checkpoint backend may know the conversation."""
    approval: ApprovalPolicy | None = None
    """For calls whose tool has no policy of its own."""
    step_policy: ActivityPolicy | None = None
    """What it says goes before the worker's, for this run and those that work for it."""
    tool_policy: ActivityPolicy | None = None
    """Likewise, for calls of tools; what a tool says of itself goes before it."""
    origin: RestorePoint | None = None
    trace: str = ""
    """The span of whoever began the first turn, as a W3C `traceparent`; empty: nobody traces it."""
    depth: int = 0
    """How many agents stand above this one."""
    parent: Parent | None = None
    budget: Budget | None = None
    carried: CarryOver | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.input and self.origin is None and self.parent is None and self.carried is None:
            raise ValueError("input: it is what the user says, and is missing or empty")
        return self


class OpenInput(WireModel):
    """The input of the local activity `spine.open`; no history holds it."""

    request: RunRequest
    chain: str = ""
    """The run id of the first execution, which those that continue it, or are reset from it, keep naming."""


class SpecInput(WireModel):
    """The input of the activity `spine.spec`, which answers what the agent is by now."""

    agent: str
    tenant_id: str | None = None
    """Whose run it is; None: the agent says."""
    budget: Budget | None = None
    step_policy: ActivityPolicy | None = None
    tool_policy: ActivityPolicy | None = None
