"""One step of an agent, as the kernel takes it.

What a hook changes here is there again as far as it is recorded:

* The State, its messages included: recorded as a delta with the step's outcome. Every later hook of the run sees it, on
  whichever worker it runs. An attempt that fails records nothing: the next one runs all hooks again, on the State from
  before the step.
* `ctx.messages`, `ctx.tools`, `ctx.provider`: for the rest of this step. The next one begins with the agent's own, and
  with the whole conversation. As long as no hook has replaced the list, `ctx.messages` is the State's.
* `ctx.extra`: from `before_model` over `on_error` to `after_model`, within one attempt of this step.
* `ctx.response`: its message, usage and finish reason are recorded as the last `after_model` leaves them.
* Attributes of the middleware itself: by whatever runs in this process. Other workers have their own, a new process
  begins anew, and a hook that runs again changes them again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from spine_core import (
    Agent,
    ErrorAction,
    EventType,
    Guards,
    Message,
    ModelResponse,
    ProviderError,
    State,
    StepContext,
    StopReason,
    StopRun,
    Usage,
)
from spine_core.provider import StreamingProvider

from spine_temporal.activities.current import Doing
from spine_temporal.activities.hooks import Contained, Escaped, Hook, HookRaised, text_of
from spine_temporal.activities.planned import planned_calls
from spine_temporal.activities.working_messages import WorkingMessages
from spine_temporal.agents.longest import Lifetime
from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.progress import Writing
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.step import ModelError, PlannedCall, StepInput, StepOutcome
from spine_temporal.journal import state_delta
from spine_temporal.journal.counters import stopped_by_guard
from spine_temporal.kernel.vendor_sdks import asking_once
from spine_temporal.plugins.prices import is_free
from spine_temporal.redact import redact
from spine_temporal.telemetry.metrics import counted_answer, counted_request, counted_retry
from spine_temporal.telemetry.run_spans import chat

# The kernel's own cap (spine_core.agent), which no on_error hook can talk it out of.
_MAX_PROVIDER_ATTEMPTS: Final = 100


class _NoResponse(Exception):
    """The provider answered with something that is no ModelResponse."""


class _Ended(Exception):
    """The run ends within this step."""

    def __init__(self, ending: Ending, cause: Exception | None = None) -> None:
        super().__init__(ending.reason)
        self.ending = ending
        self.cause = cause


@dataclass(slots=True)
class Step:
    """One step in the making: hooks and the provider work on `state`, a copy; `outcome` says what they did to it."""

    agent: Agent
    before: State
    task: StepInput
    elapsed_s: Callable[[], float]
    """Seconds since the run began."""
    guards: Guards
    """As the run recorded them."""
    tool_policy: ActivityPolicy = field(default_factory=ActivityPolicy)
    """As the run recorded it: what a tool does not say itself."""
    payload_bytes: int = MAX_PAYLOAD_BYTES
    """The largest payload that the server takes."""
    working: WorkingMessages = field(default_factory=WorkingMessages)
    """From an activity of the run before, or new."""
    lifetime: Lifetime | None = None
    """Of the run's workers: tool calls that may take longer are refused. None: they live for ever."""
    write: Callable[[Writing], None] | None = None
    """Called with what the model has written by now, whenever that is more."""
    state: State = field(init=False)
    cause: Exception | None = field(default=None, init=False)
    """What made the step fail; None: it did not, or it is the run's normal end."""
    _ending: Ending | None = field(default=None, init=False)
    _calls: list[PlannedCall] = field(default_factory=list, init=False)
    _banked: Usage = field(default_factory=Usage, init=False)
    _fields: dict[str, Any] = field(default_factory=dict, init=False)
    _errors: list[ModelError] = field(default_factory=list, init=False)
    _pieces: str | None = field(default=None, init=False)
    """What the provider streamed; None: it did not."""

    def __post_init__(self) -> None:
        self.state = self.working.lend(self.before)

    async def take(self) -> None:
        """Run the hooks and ask the model. Whatever they raise ends up in the outcome."""
        try:
            await self._take()
        except StopRun as stop:
            self._ending = stopped(stop)
        except _Ended as ended:
            self._ending, self.cause = ended.ending, ended.cause
        except HookRaised as raised:
            self._ending, self.cause = Ending(reason=StopReason.ERROR, error=str(raised)), raised.error

    @property
    def paid(self) -> dict[str, Usage]:
        """What the model's answer cost."""
        return {"usage": self._banked}

    def outcome(self, id_: str) -> StepOutcome:
        """What happened, as it is recorded.

        Raises:
            pydantic_core.PydanticSerializationError: a hook put something into the State that JSON cannot hold.
        """
        stepped = self._fields.get("stepped", True)
        after, unchanged = self.working.given_back(self.state)
        changed = state_delta.diff(self.before, after, banked=self._banked, stepped=stepped, unchanged=unchanged)
        rewrote = bool(changed.edits or changed.cut)
        return StepOutcome(
            id=id_,
            delta=changed,
            usage=self._banked,
            calls=self._calls,
            ending=self._spelled_out() if rewrote or not changed.messages else self._ending,
            last_text=(last_text(self.state) or "") if rewrote else None,
            errors=self._errors,
            **self._fields,
        )

    def _spelled_out(self) -> Ending | None:
        # When a hook rewrote the conversation, the answer may be an older message: then no new one holds it.
        if self._ending is None or self._ending.answer_from is not AnswerFrom.LAST_MESSAGE:
            return self._ending
        answer = self.state.messages[-1].content
        return self._ending.model_copy(update={"answer": answer, "answer_from": AnswerFrom.HERE})

    async def _take(self) -> None:
        chain = self.agent.chain
        if self.task.first:
            self._fields["stepped"] = False
            with Hook("on_run_start"):
                await chain.on_run_start(self.state)
            tripped = self.guards.check(self.state, self.elapsed_s())
            if tripped is not None:
                raise _Ended(stopped_by_guard(tripped))
            del self._fields["stepped"]
        self.state.step += 1
        context = StepContext(self.state, self.state.messages, list(self.agent.tools.values()), self.agent.provider)
        with Hook("before_model"):
            await chain.before_model(context)
        if context.response is not None:
            self._fields["preset"] = True
        else:
            self._fields["asked"] = len(context.messages)
            context.response = await self._complete(context)
        with Hook("after_model"):
            await chain.after_model(context)
            provider = context.provider or self.agent.provider
            self._bank(context.response, provider, force_continue=context.force_continue)

    async def _complete(self, context: StepContext) -> ModelResponse:
        schemas = [tool.schema for tool in context.tools]
        timeout_s = self.guards.timeout_s
        while True:
            if timeout_s is not None and self.elapsed_s() >= timeout_s:
                raise _Ended(stopped_by_guard(StopReason.TIMEOUT))
            if context.attempt >= _MAX_PROVIDER_ATTEMPTS:
                error = f"provider retry cap ({_MAX_PROVIDER_ATTEMPTS}) exceeded"
                raise _Ended(Ending(reason=StopReason.ERROR, error=error))
            provider = context.provider or self.agent.provider
            try:
                asks_for = chat(provider, context.messages)
                with Contained(), Doing("the provider", calling=True), counted_request(provider), asks_for as span:
                    asked = asking_once(provider) if self.task.policy.attempts > 1 else provider
                    if self._reads_along(asked):
                        response = await self._streamed(asked, context, schemas)
                    else:
                        response = await asked.complete(context.messages, schemas)
                    response = _checked(response)
                    span.answered(response, free=is_free(self.agent, provider))
                    return response
            except (Escaped, _NoResponse) as error:
                # The kernel's on_error is for what a provider raises, and for exceptions: what a cancellation or an
                # exit means, no middleware knows.
                self._errors.append(ModelError(error=str(error), action="fail"))
                raise _Ended(Ending(reason=StopReason.ERROR, error=str(error))) from error
            except Exception as error:  # noqa: BLE001 - whatever it is, the middleware decides
                await self._failed(context, error)

    def _reads_along(self, provider: object) -> TypeGuard[StreamingProvider]:
        return self.task.tokens_every_s is not None and isinstance(provider, StreamingProvider)

    async def _streamed(self, provider: StreamingProvider, context: StepContext, schemas: list[dict[str, Any]]) -> Any:
        response, written = None, ""
        async for chunk in provider.stream(context.messages, schemas):
            if chunk.delta:
                written += chunk.delta
                if self.write is not None:
                    self.write(Writing(written=readable(written), call=context.attempt, asked=len(context.messages)))
            if chunk.response is not None:
                response = chunk.response
        if response is None:
            raise ProviderError("streaming provider produced no final response")
        self._pieces = written
        return response

    async def _failed(self, context: StepContext, error: Exception) -> None:
        with Hook("on_error"):
            action = await self.agent.chain.on_error(context, error)
        message = redact(str(error))
        self._errors.append(ModelError(error=message, action=action.value))
        if action not in (ErrorAction.RETRY, ErrorAction.FALLBACK):
            raise _Ended(Ending(reason=StopReason.ERROR, error=message), cause=error)
        counted_retry()
        context.attempt += 1

    def _bank(self, response: ModelResponse, provider: object, *, force_continue: bool) -> None:
        message = response.message
        self._banked = response.usage
        self.state.add_usage(response.usage)
        self.state.add_message(message)
        self._fields |= {"answered": True, "finish_reason": response.finish_reason}
        if self._pieces is not None:
            self._fields |= {"streamed": True, "rewritten": readable(self._pieces) != readable(message.content or "")}
        free = is_free(self.agent, provider)
        counted_answer(provider, response.usage, free=free)
        # Only where it makes a difference: elsewhere the outcome is as long as before.
        if free and not response.usage.cost_usd and response.usage.total_tokens:
            self._fields["free"] = True
        self._calls = planned_calls(
            self.agent,
            message.tool_calls,
            self.tool_policy,
            self.payload_bytes,
            ui_text=self.task.ui_text,
            lifetime=self.lifetime,
        )
        if not message.tool_calls and not force_continue:
            self._ending = Ending(
                reason=StopReason.FINAL, answer_from=AnswerFrom.LAST_MESSAGE, event=str(EventType.FINAL)
            )


def _checked(response: Any) -> ModelResponse:
    """The provider's answer, before a hook sees it, or is blamed for it.

    Raises:
        _NoResponse: it is none.
    """
    message, usage = getattr(response, "message", None), getattr(response, "usage", None)
    if not isinstance(message, Message) or not isinstance(usage, Usage):
        raise _NoResponse(
            f"the provider answered with {type(response).__name__}, not with a spine_core.ModelResponse that has a "
            "message and a usage"
        )
    return response  # type: ignore[no-any-return]


def stopped(stop: StopRun) -> Ending:
    """The ending that a hook's `StopRun` asks for, by the kernel's rules; it is one whatever the hook put into it."""
    message = stop.message if stop.message is None else readable(text_of(stop.message))
    try:
        reason = StopReason(stop.reason)
    except ValueError:
        known = ", ".join(StopReason)
        message = readable(f"a hook raised StopRun with the reason {text_of(stop.reason)!r}; there are: {known}")
        reason = StopReason.ERROR
    if reason is StopReason.ERROR:
        return Ending(reason=reason, error=message, event=str(EventType.GUARD_TRIP))
    return Ending(reason=reason, answer=message or None, event=str(EventType.GUARD_TRIP))


def last_text(state: State) -> str | None:
    """The model's last text."""
    spoken = (
        message.content for message in reversed(state.messages) if message.role == "assistant" and message.content
    )
    return next(spoken, None)
