"""One tool call of an agent, as the kernel runs it."""

from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from pydantic_core import to_jsonable_python
from spine_core import Agent, Interrupt, State, StopReason, StopRun, Tool, ToolCall, ToolContext

from spine_temporal.activities.hooks import HookRaised, naming
from spine_temporal.activities.taking_step import last_text, stopped
from spine_temporal.activities.working import stringify, working_copy
from spine_temporal.agents.spec import hooks_of
from spine_temporal.contracts.ending import Ending
from spine_temporal.contracts.tool import ToolOutcome
from spine_temporal.journal import delta

_HOOKS: Final = frozenset({"before_tool", "after_tool"})


@dataclass(slots=True)
class ToolRun:
    """One tool call in the making: hooks work on `state`, a copy; `outcome` says what they did to it."""

    agent: Agent
    before: State
    call: ToolCall
    index: int
    state: State = field(init=False)
    _content: str = field(default="", init=False)
    _ending: Ending | None = field(default=None, init=False)
    _told: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.state = working_copy(self.before, hooked=not _HOOKS.isdisjoint(hooks_of(self.agent)))

    async def run(self) -> None:
        """Run the hooks and the tool. Whatever they raise ends up in the outcome."""
        try:
            self._content = await self._run()
        except StopRun as stop:
            self._ending = stopped(stop)
        except HookRaised as raised:
            self._ending = Ending(reason=StopReason.ERROR, error=str(raised))

    def outcome(self, id_: str) -> ToolOutcome:
        """What happened, as it is recorded.

        Raises:
            pydantic_core.PydanticSerializationError: a hook put something into the State that JSON cannot hold.
        """
        changed = delta.diff(self.before, self.state)
        rewrote = bool(changed.edits or changed.cut)
        return ToolOutcome(
            id=id_,
            ending=self._ending,
            said=(last_text(self.state) or "") if rewrote else None,
            content=self._content,
            delta=changed,
            **self._told,
        )

    async def _run(self) -> str:
        call = self._own_call()
        tool = self.agent.tools.get(call.name)
        context = ToolContext(self.state, tool, call)
        with naming("before_tool"):
            await self.agent.chain.before_tool(context)
        if tool is None:
            self._told["known"] = False
            return f"Error: unknown tool '{call.name}'"
        if context.skip:
            return stringify(context.result)
        self._told["called"] = True
        if context.args != call.arguments:
            self._told["arguments"] = to_jsonable_python(context.args, fallback=str)
        await _call(tool, context)
        with naming("after_tool"):
            await self.agent.chain.after_tool(context)
        return stringify(context.result)

    def _own_call(self) -> ToolCall:
        # The hooks may change the call itself; it must be the one inside our copy of the conversation.
        for message in reversed(self.state.messages):
            if message.tool_calls:
                if self.index < len(message.tool_calls) and message.tool_calls[self.index] == self.call:
                    return message.tool_calls[self.index]
                break
        return self.call.model_copy(deep=True)


async def _call(tool: Tool, context: ToolContext) -> None:
    name = context.call.name
    try:
        if context.timeout_s is None:
            context.result = await tool.call(context.args)
        else:
            with anyio.fail_after(context.timeout_s):
                context.result = await tool.call(context.args)
    except Interrupt:
        context.result = f"Error: tool '{name}' requested human input (not allowed in parallel)"
    except Exception as error:  # noqa: BLE001 - the model is told, as in the kernel
        context.error = error
        context.result = f"Error executing tool '{name}': {error}"
