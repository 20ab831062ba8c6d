"""One tool call of an agent, as the kernel runs it.

What a hook changes here is there again as far as it is recorded:

* The State: recorded as a delta with the call's outcome, for every later hook of the run. Calls that run side by side
  each begin with the State from before the batch, so their hooks do not see each other's changes.
* The calls behind this one, in the model's message: changed, taken out or put in, they run as they are then. Not side
  by side, and not behind a pause, where the kernel, too, goes through a copy.
* `ctx.args`: what the tool gets, what the trace tells, what `after_tool` finds. The model's own message stays as it
  was, and when a gated call goes on, `before_tool` begins with its arguments, or with those that a person put in
  their place.
* `ctx.result`: what the last `after_tool` leaves is recorded as the text that the model reads.
* `ctx.skip`, `ctx.timeout_s`, `ctx.error`: within this attempt of the call. Another attempt runs the hooks again.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from pydantic_core import to_jsonable_python
from spine_core import Agent, Interrupt, State, StopReason, StopRun, Tool, ToolCall, ToolContext, Usage

from spine_temporal.activities.current import Doing
from spine_temporal.activities.hooks import Contained, Hook, HookRaised
from spine_temporal.activities.live_calls import LiveCalls, live_calls
from spine_temporal.activities.planned import planned_calls
from spine_temporal.activities.resumption import Resumption
from spine_temporal.activities.shared_messages import SharedMessages
from spine_temporal.activities.state_copy import stringify
from spine_temporal.activities.step import last_text, stopped
from spine_temporal.activities.working_messages import WorkingMessages
from spine_temporal.agents.idempotency import Keyed, key_of
from spine_temporal.agents.longest import Lifetime
from spine_temporal.agents.spec import hooks_of
from spine_temporal.agents.subagents import task_in, transfer_of
from spine_temporal.contracts.approval import ApprovalRequest
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal import state_delta
from spine_temporal.journal.digest import digest_of
from spine_temporal.journal.subagents import subagent_content
from spine_temporal.redact import redact
from spine_temporal.telemetry.metrics import counted_call
from spine_temporal.telemetry.run_spans import execute_tool

_HOOKS: Final = frozenset({"before_tool", "after_tool", "on_run_start"})

type Delegates = Callable[[Tool], tuple[str, int, str | None] | None]
"""The agent that a tool is, how deep it may stand, its task queue; None: an ordinary tool."""


def sees_messages(agent: Agent) -> bool:
    """Whether a hook of the agent is given the conversation while a tool call runs."""
    return not _HOOKS.isdisjoint(hooks_of(agent))


class _Waits(Exception):
    """The call cannot be finished here: a person decides, or another agent works."""


@dataclass(slots=True)
class ToolRun:
    """One tool call in the making: hooks work on `state`, a copy; `outcome` says what they did to it."""

    agent: Agent
    before: State
    call: ToolCall
    index: int
    calls: Sequence[ToolCall] = ()
    """The calls of the step, if hooks may change those behind this one."""
    tool_policy: ActivityPolicy = field(default_factory=ActivityPolicy)
    """As the run recorded it: what a tool does not say itself."""
    payload_bytes: int = MAX_PAYLOAD_BYTES
    """The largest payload that the server takes."""
    refused: str = ""
    """Why the step's plan refuses it, for the model; empty: it does not."""
    lifetime: Lifetime | None = None
    """Of the run's workers, for the calls that hooks put behind this one."""
    resumption: Resumption | None = None
    first: bool = False
    place: str = ""
    """Where the call stands among all that there are; empty: nobody needs to know."""
    working: WorkingMessages | SharedMessages = field(default_factory=WorkingMessages)
    """From an activity of the run before, or new; shared ones do if the agent's hooks see no messages."""
    delegates: Delegates = lambda _: None
    passes: Callable[[Exception], bool] = lambda _: False
    """Whether the call is made again after what the tool raised; else the model gets an error."""
    now_s: Callable[[], float] = lambda: 0.0
    """Unix time by the server's clock."""
    state: State = field(init=False)
    _own: ToolCall = field(init=False)
    _key: str = field(init=False)
    _live: LiveCalls | None = field(init=False)
    _content: str = field(default="", init=False)
    _ending: Ending | None = field(default=None, init=False)
    _fields: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        child = self.resumption.returned if self.resumption else None
        if child is not None:
            self.before = self.before.model_copy(update={"usage": self.before.usage + child.usage})
            self._fields |= {"spent": child.usage, "unpriced_tokens": child.unpriced_tokens}
        self.state = self.working.lend(self.before)
        self._live = live_calls(self.state, self.calls, self.index) if self.calls else None
        self._own = self._own_call()
        self._key = key_of(self.place, self._own.name, self._own.arguments)

    async def run(self) -> None:
        """Run the hooks and the tool. Whatever they raise ends up in the outcome, unless it passes."""
        try:
            if self.first:
                with Hook("on_run_start"):
                    await self.agent.chain.on_run_start(self.state)
            with Keyed(self._key):
                self._content = await self._run()
        except _Waits:
            self._content = ""
        except StopRun as stop:
            self._ending = stopped(stop)
        except HookRaised as raised:
            self._ending = Ending(reason=StopReason.ERROR, error=str(raised))

    @property
    def paid(self) -> dict[str, Usage]:
        """What the agent that did the work spent."""
        return {name: self._fields[name] for name in ("spent",) if name in self._fields}

    def outcome(self, id_: str) -> ToolOutcome:
        """What happened, as it is recorded.

        Raises:
            pydantic_core.PydanticSerializationError: a hook put something into the State that JSON cannot hold.
        """
        after, unchanged = self.working.given_back(self.state)
        changed = state_delta.diff(self.before, after, unchanged=unchanged)
        rewrote = bool(changed.edits or changed.cut)
        later = self._live.changed if self._live is not None else None
        if later is not None:
            self._fields["later"] = planned_calls(
                self.agent, later, self.tool_policy, self.payload_bytes, lifetime=self.lifetime
            )
            self._fields["later_calls"] = later
        if (self._own.id, self._own.name) != (self.call.id, self.call.name):
            self._fields["call"] = self.call.model_copy(update={"id": self._own.id, "name": self._own.name})
        return ToolOutcome(
            id=id_,
            ending=self._ending,
            last_text=(last_text(self.state) or "") if rewrote else None,
            content=self._content,
            delta=changed,
            **self._fields,
        )

    async def _run(self) -> str:
        goes_on = self.resumption
        if goes_on is not None and goes_on.decision:
            self._fields["decision"] = goes_on.decision
            if goes_on.decision != "approved":
                return goes_on.content
        call = self._own
        tool = self.agent.tools.get(call.name)
        context = ToolContext(self.state, tool, call)
        if goes_on is not None and goes_on.returned is not None:
            return await self._returned(context, goes_on)
        with Hook("before_tool"):
            await self.agent.chain.before_tool(context)
        if tool is None:
            # Of a call that a person approved, the kernel tells the trace the text alone.
            self._fields["known"] = goes_on is not None
            return f"Error: unknown tool '{call.name}'"
        if self.refused:
            return self.refused
        if tool.approve and goes_on is None:
            self._ask("approve", {"tool": call.name, "arguments": context.args}, context)
        if context.skip:
            return stringify(context.result)
        self._fields["called"] = True
        if context.args != self.call.arguments:
            self._fields["arguments"] = to_jsonable_python(context.args, fallback=str)
        refused = self._delegate(tool, context)
        if refused is not None:
            context.result = refused
        else:
            await self._call(tool, context)
        with Hook("after_tool"):
            await self.agent.chain.after_tool(context)
        return stringify(context.result)

    def _own_call(self) -> ToolCall:
        if self.resumption is not None and self.resumption.arguments is not None:
            self._fields["edited"] = True
            return self.call.model_copy(update={"arguments": copy.deepcopy(self.resumption.arguments)})
        if self.resumption is not None and self.resumption.decision:
            # The kernel goes on after a pause with a call of its own.
            return self.call.model_copy(deep=True)
        # The hooks may change the call itself; it must be the one inside our copy of the conversation.
        for message in reversed(self.state.messages):
            if message.tool_calls:
                if self.index < len(message.tool_calls) and message.tool_calls[self.index] == self.call:
                    return message.tool_calls[self.index]
                break
        return self.call.model_copy(deep=True)

    def _ask(self, mode: str, payload: Any, context: ToolContext) -> None:
        """Have a person asked.

        Raises:
            _Waits: always.
        """
        arguments = to_jsonable_python(context.args, fallback=str)
        written = to_jsonable_python(payload, fallback=str)
        self._fields["asks"] = ApprovalRequest(
            mode=mode,
            payload=written,
            arguments=arguments,
            digest=digest_of(arguments),
            asked_s=self.now_s(),
        )
        raise _Waits

    def _delegate(self, tool: Tool, context: ToolContext) -> str | None:
        """Have another agent work; why not, if it stands too deep; None: it is an ordinary tool.

        Raises:
            _Waits: another agent works.
        """
        found, task = self.delegates(tool), task_in(context.args)
        if found is None or task is None:
            return None
        name, max_depth, task_queue = found
        if self.state.depth >= max_depth:
            return f"Error: max delegation depth ({max_depth}) exceeded"
        with execute_tool(context.call, context.args) as span:
            trace = span.traceparent
        self._fields["delegates"] = Delegation(
            agent=name,
            input=task,
            task_queue=task_queue,
            hooked="after_tool" in hooks_of(self.agent),
            trace=trace,
        )
        raise _Waits

    async def _returned(self, context: ToolContext, goes_on: Resumption) -> str:
        child = goes_on.returned
        context.args = {"input": goes_on.subagent_input}
        context.result = subagent_content(context.call.name, child) if child is not None else ""
        if child is not None and not child.reason:
            context.error = RuntimeError(child.error or "")
        with Hook("after_tool"):
            await self.agent.chain.after_tool(context)
        return stringify(context.result)

    async def _call(self, tool: Tool, context: ToolContext) -> None:
        name = context.call.name
        try:
            # Sync functions run in a thread, as the kernel decides.
            in_thread = not inspect.iscoroutinefunction(tool.func)
            traced, counted = execute_tool(context.call, context.args), counted_call(name)
            with Contained(), Doing(f"the tool {name!r}", in_thread=in_thread, calling=True), counted, traced as span:
                if context.timeout_s is None:
                    context.result = await tool.call(context.args)
                else:
                    with anyio.fail_after(context.timeout_s):
                        context.result = await tool.call(context.args)
                span.returned(context.result)
        except Interrupt as interrupt:
            self._ask("manual", interrupt.payload, context)
        except Exception as error:
            if self.passes(error):
                raise
            context.error = error
            context.result = redact(f"Error executing tool '{name}': {error}")
        else:
            self._fields["transfer"] = transfer_of(tool)
