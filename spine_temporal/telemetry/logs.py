"""Log lines that say which run they belong to, as text or as JSON."""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from temporalio import activity

from spine_temporal.contracts import names
from spine_temporal.contracts.run_id import Position

FIELDS: Final = ("run", "run_id", "agent", "step", "call", "attempt")
"""What a line has beside its text: the workflow id, the execution's run id, the agent's name, the step, the call
("step.index"), the attempt; None: it does not apply."""

_STEPS: Final = frozenset({names.STEP_ACTIVITY, names.TOOL_ACTIVITY})


_REMEMBERED: Final = 10_000
_agents = OrderedDict[str, str]()


def logs_of(run_id: str, agent: str) -> None:
    """From now on, what is logged in activities of this execution names its agent."""
    _agents[run_id] = agent
    _agents.move_to_end(run_id)
    while len(_agents) > _REMEMBERED:
        _agents.popitem(last=False)


def mark_lines(handlers: Iterable[logging.Handler], *, as_json: bool) -> None:
    """Have the lines of these handlers say which run they belong to; `as_json`: each as one JSON object."""
    for handler in handlers:
        handler.addFilter(RunFilter())
        if as_json:
            handler.setFormatter(JsonFormatter())


class RunFilter(logging.Filter):
    """Puts on each record the attributes that `FIELDS` names; add it to the handlers whose lines are to have them.

    It holds back nothing. What activities log has them all, and so has what tools, hooks and providers log in it, in
    threads of sync tools too, not in threads that they start themselves. What a workflow logs has its run; through
    Temporal's `workflow.logger`, as ours is, a replay logs nothing again.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attributes; beside them `where`, for a format of one's own: those that apply, in brackets."""
        known = _known(record)
        for name, value in known.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        shown = " ".join(f"{name}={value}" for name, value in known.items() if value is not None)
        record.where = f" [{shown}]" if shown else ""
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, those of `FIELDS` that apply, the exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        known = {name: getattr(record, name, None) for name in FIELDS}
        line: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in known.items() if value is not None},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


def _known(record: logging.LogRecord) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(FIELDS)
    of_workflow = getattr(record, "temporal_workflow", None)
    if isinstance(of_workflow, dict):
        return nothing | {"run": of_workflow.get("workflow_id"), "run_id": of_workflow.get("run_id")}
    if not activity.in_activity():
        return nothing
    info = activity.info()
    known = {"run": info.workflow_id, "run_id": info.workflow_run_id, "attempt": info.attempt}
    return nothing | known | {"agent": _agents.get(str(info.workflow_run_id))} | _place(info)


def _place(info: activity.Info) -> dict[str, Any]:
    if info.activity_type not in _STEPS:
        return {}
    # A step's activity bears its number, a call's its position, and how often it went on after a pause.
    first = info.activity_id.partition(" ")[0]
    call = Position.parse(first)
    if call is not None:
        return {"step": call.step, "call": str(call)}
    return {"step": int(first)} if first.isascii() and first.isdecimal() else {}
