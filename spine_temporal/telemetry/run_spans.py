"""The spans of a run's work, each made by the activity that does the work."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from spine_core import Interrupt, Message, ModelResponse, StopRun, ToolCall
from temporalio import activity

from spine_temporal.contracts import span_names as names
from spine_temporal.contracts.trace_context import Segment, TraceContext
from spine_temporal.journal.ledger import Ledger
from spine_temporal.plugins.model_name import model_of
from spine_temporal.redact import redact
from spine_temporal.telemetry.content import as_text, messages_as_text
from spine_temporal.telemetry.fixed_ids import span_context, within
from spine_temporal.telemetry.guarded import unless_it_fails
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.telemetry.providers import provider_name

type Attributes = Mapping[str, str | int | float | Sequence[str]]

# How a tool, or a hook within it, asks a person or ends the run: nothing has failed.
_NO_FAILURES: Final = (Interrupt, StopRun)


class Work(NamedTuple):
    """An activity's part of a run: what its spans have in common."""

    tracer: Tracer
    root: SpanContext
    """The agent's own span, which is recorded when its work stops."""
    attributes: Attributes
    content: bool
    decided: Link | None = None
    """The span of the person's decision on which a call goes on."""


_work: ContextVar[Work | None] = ContextVar("spine_temporal_traced_work", default=None)


def traced(
    options: Telemetry, ledger: Ledger, *, step: int, index: int | None = None
) -> AbstractContextManager[SpanContext | None]:
    """While the body works on a step, or on its call `index`, spans are made below the agent's own.

    Also those that hooks, tools, or instrumented libraries make by themselves. It gives the agent's own span, or None:
    none are made.
    """
    return _traced(_work_of(options, ledger, step, index)) if options.enabled else nullcontext()


@contextmanager
def _traced(work: Work) -> Iterator[SpanContext]:
    token = _work.set(work)
    attached = otel_context.attach(within(work.root))
    try:
        yield work.root
    finally:
        otel_context.detach(attached)
        _work.reset(token)


class ModelSpan:
    """The span of one request to a model."""

    def __init__(self, span: Span, *, content: bool) -> None:
        self._span = span
        self._content = content

    def answered(self, response: ModelResponse, *, free: bool) -> None:
        """Add what came of it; a cost that nobody knows is not there."""
        if not self._span.is_recording():
            return
        usage = response.usage
        known: dict[str, Any] = {
            names.INPUT_TOKENS: usage.input_tokens,
            names.OUTPUT_TOKENS: usage.output_tokens,
            **cost(usage.cost_usd if usage.cost_usd or free else None),
        }
        if response.finish_reason:
            known[names.FINISH_REASONS] = [str(response.finish_reason)]
        if self._content:
            known[names.OUTPUT_MESSAGES] = messages_as_text([response.message], response.finish_reason)
        self._span.set_attributes(known)


class ToolSpan:
    """The span of one call of a tool."""

    def __init__(self, span: Span, *, content: bool) -> None:
        self._span = span
        self._content = content

    @property
    def traceparent(self) -> str:
        """The span, for an agent that does the work; empty: there is none."""
        context = self._span.get_span_context()
        if not context.is_valid:
            return ""
        return str(TraceContext(context.trace_id, context.span_id, context.trace_flags.sampled))

    def returned(self, result: object) -> None:
        """Add what came of it, if content is asked for."""
        if self._content:
            self._span.set_attribute(names.TOOL_RESULT, as_text(result))


_NO_CHAT: Final = nullcontext(ModelSpan(INVALID_SPAN, content=False))
_NO_CALL: Final = nullcontext(ToolSpan(INVALID_SPAN, content=False))


def chat(provider: object, messages: list[Message]) -> AbstractContextManager[ModelSpan]:
    """The span of one request to the model behind `provider`. What the body raises is an error."""
    work = _work.get()
    return _chat(work, provider, messages) if work is not None else _NO_CHAT


@contextmanager
def _chat(work: Work, provider: object, messages: list[Message]) -> Iterator[ModelSpan]:
    model = model_of(provider)
    attributes = {**work.attributes, names.OPERATION: names.CHAT, **provider_attributes(provider)}
    if work.content:
        attributes[names.INPUT_MESSAGES] = messages_as_text(messages)
    name = f"{names.CHAT} {model}" if model else names.CHAT
    with _span(work, name, SpanKind.CLIENT, attributes) as span:
        yield ModelSpan(span, content=work.content)


def execute_tool(call: ToolCall, arguments: Mapping[str, Any]) -> AbstractContextManager[ToolSpan]:
    """The span of one call of a tool. What the body raises is an error, but for what asks a person or ends the run."""
    work = _work.get()
    return _execute_tool(work, call, arguments) if work is not None else _NO_CALL


@contextmanager
def _execute_tool(work: Work, call: ToolCall, arguments: Mapping[str, Any]) -> Iterator[ToolSpan]:
    attributes = {
        **work.attributes,
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: call.name,
        names.TOOL_CALL_ID: call.id,
        names.TOOL_TYPE: "function",
    }
    if work.content:
        attributes[names.TOOL_ARGUMENTS] = as_text(arguments)
    with _span(work, f"{names.EXECUTE_TOOL} {call.name}", SpanKind.INTERNAL, attributes) as span:
        yield ToolSpan(span, content=work.content)


def provider_attributes(provider: object) -> dict[str, Any]:
    """Who is asked for which model; the model is left out if the provider does not say."""
    model = model_of(provider)
    return {names.PROVIDER: provider_name(provider), **({names.REQUEST_MODEL: model} if model else {})}


def cost(cost_usd: float | None) -> dict[str, float]:
    """The attribute of a cost; none if nobody knows it."""
    return {names.COST_USD: cost_usd} if cost_usd is not None and math.isfinite(cost_usd) else {}


@contextmanager
def _span(work: Work, name: str, kind: SpanKind, attributes: Attributes) -> Iterator[Span]:
    links = [work.decided] if work.decided is not None else []
    begin = partial(work.tracer.start_span, name, within(work.root), kind=kind, attributes=attributes, links=links)
    span = unless_it_fails(begin) or INVALID_SPAN
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield span
    except BaseException as error:
        if not isinstance(error, _NO_FAILURES):
            # What an error says may quote a user's input.
            span.set_status(Status(StatusCode.ERROR, redact(str(error)) if work.content else None))
            span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
        raise
    finally:
        unless_it_fails(span.end)


def _work_of(options: Telemetry, ledger: Ledger, step: int, index: int | None) -> Work:
    info, progress, tracer = activity.info(), ledger.progress, options.tracer()
    workflow_id = str(info.workflow_id)
    segment = Segment(workflow_id, ledger.chain, progress.turn, progress.status_number, progress.trace)
    attributes: dict[str, Any] = {
        names.AGENT_NAME: ledger.spec.agent,
        names.CONVERSATION_ID: ledger.session_id,
        names.WORKFLOW_ID: workflow_id,
        names.RUN_ID: str(info.workflow_run_id),
        names.TURN: progress.turn,
        names.STEP: step,
        names.ATTEMPT: info.attempt,
    }
    if index is not None:
        attributes[names.CALL] = f"{step}.{index}"
    root = span_context(segment.context, tracer, f"{names.INVOKE_AGENT} {ledger.spec.agent}")
    decided = _decision(ledger, index, tracer) if index is not None else None
    return Work(tracer, root, attributes, options.content, decided)


def _decision(ledger: Ledger, index: int, tracer: Tracer) -> Link | None:
    calls = ledger.progress.calls
    decision = calls.items[index].decision if calls is not None else None
    request = ledger.requests.get(decision.id) if decision is not None else None
    context = TraceContext.parse(request.trace) if request is not None else None
    if context is None:
        return None
    settled = "approved" if decision is not None and decision.approved else "rejected"
    return Link(span_context(context, tracer, names.DECIDE), {names.DECISION: settled})
