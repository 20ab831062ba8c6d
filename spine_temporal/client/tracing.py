"""The spans of what a client does; whoever works on it goes on from them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spine_temporal.contracts import span_names as names

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from spine_temporal.client.approvals import Approval
    from spine_temporal.journal.ledger import Ledger


@contextmanager
def starting(agent: str, session_id: str | None) -> Iterator[str]:
    """The span of beginning a turn, below the caller's; as `traceparent`, empty if nobody traces."""
    attributes = {names.AGENT_NAME: agent, **({names.CONVERSATION_ID: session_id} if session_id else {})}
    with _span(f"{names.START} {agent}", attributes) as traceparent:
        yield traceparent


@contextmanager
def deciding(workflow_id: str, ledger: "Ledger", approval: "Approval") -> Iterator[str]:
    """The span of a decision, below the caller's, with a link to the work that stopped for it; as `traceparent`.

    A person decides weeks later, in a trace of the person's own: no span stays open meanwhile.
    """
    attributes = {
        names.AGENT_NAME: ledger.agent,
        names.CONVERSATION_ID: ledger.session_id,
        names.WORKFLOW_ID: approval.workflow_id,
        names.TOOL_NAME: approval.tool,
        names.TOOL_CALL_ID: approval.call_id,
    }
    with _span(f"{names.DECIDE} {approval.tool}", attributes, (workflow_id, ledger)) as traceparent:
        yield traceparent


@contextmanager
def _span(name: str, attributes: dict[str, Any], stopped: "tuple[str, Ledger] | None" = None) -> Iterator[str]:
    if "opentelemetry.trace" not in sys.modules:
        # Who traces has imported it; importing it here would cost every client a fifth of its start.
        yield ""
        return
    from opentelemetry import trace
    from opentelemetry.trace import Link, SpanKind, Status, StatusCode

    from spine_temporal.contracts.trace_context import TraceContext

    context = _stopped(*stopped) if stopped is not None else None
    links = [Link(context)] if context is not None else []
    tracer = trace.get_tracer(names.SCOPE, schema_url=names.SCHEMA_URL)
    span = tracer.start_span(name, kind=SpanKind.PRODUCER, attributes=attributes, links=links)
    own = span.get_span_context()
    known = TraceContext(own.trace_id, own.span_id, own.trace_flags.sampled) if own.is_valid else ""
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield str(known)
    except BaseException as error:
        # What an error says may quote a user's input.
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
        raise
    finally:
        span.end()


def _stopped(workflow_id: str, ledger: "Ledger") -> "SpanContext | None":
    from opentelemetry.trace import SpanContext, TraceFlags

    from spine_temporal.contracts.trace_context import Segment

    progress = ledger.progress
    if progress.spec is None or not progress.spec.traced:
        return None
    # That it paused was a status change of its own, behind the one that its work began with.
    number = progress.status_number - (1 if progress.status == "paused" else 0)
    segment = Segment(workflow_id, ledger.chain, progress.turn, number, progress.trace).context
    flags = TraceFlags(TraceFlags.DEFAULT if segment.sampled is False else TraceFlags.SAMPLED)
    return SpanContext(segment.trace_id, segment.span_id, is_remote=True, trace_flags=flags)
