"""The agent's own span, `invoke_agent`, recorded when its work stops."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode
from spine_core import StopReason
from temporalio import activity

from spine_temporal.contracts import span_names as names
from spine_temporal.contracts.segment import SegmentInput
from spine_temporal.contracts.trace_context import Segment
from spine_temporal.telemetry.fixed_ids import span_context, start_span
from spine_temporal.telemetry.guarded import unless_it_fails
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.telemetry.run_spans import cost, provider_attributes

_NS: Final = 1_000_000_000
_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class SegmentSpans:
    """Records each segment's span once, also when the server did not take its workflow task, which is then redone."""

    options: Telemetry
    _recorded: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def record(self, task: SegmentInput, provider: object) -> None:
        """Record the span of a segment that has just ended; `provider` is the agent's, None: nobody knows."""
        info = activity.info()
        key = str(info.workflow_run_id), info.activity_id
        if not self.options.enabled or key in self._recorded:
            return
        self._recorded[key] = None
        if len(self._recorded) > _REMEMBERED:
            self._recorded.popitem(last=False)
        name, tracer = f"{names.INVOKE_AGENT} {task.agent}", self.options.tracer()
        segment = Segment(str(info.workflow_id), task.chain, task.turn, task.number, task.caller)
        parent = segment.parent
        begin = partial(
            start_span,
            tracer,
            span_context(segment.context, tracer, name),
            name,
            span_context(parent, tracer, name) if parent is not None else None,
            kind=SpanKind.INTERNAL,
            start_time=int(task.began_s * _NS),
            attributes=_attributes(task, provider),
        )
        span = unless_it_fails(begin) or INVALID_SPAN
        if task.reason is StopReason.ERROR:
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute(names.ERROR_TYPE, str(task.reason.value))
        unless_it_fails(span.end)


def _attributes(task: SegmentInput, provider: object) -> dict[str, Any]:
    info = activity.info()
    return {
        names.OPERATION: names.INVOKE_AGENT,
        **(provider_attributes(provider) if provider is not None else {}),
        names.AGENT_NAME: task.agent,
        names.CONVERSATION_ID: task.session_id,
        names.WORKFLOW_ID: str(info.workflow_id),
        names.RUN_ID: str(info.workflow_run_id),
        names.TURN: task.turn,
        names.STEPS: task.steps,
        names.STOP_REASON: str(task.reason.value),
        names.INPUT_TOKENS: task.input_tokens,
        names.OUTPUT_TOKENS: task.output_tokens,
        **cost(task.cost_usd),
    }
