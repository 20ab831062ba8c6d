"""What Temporal's own UI shows of a run: summaries of its events, where it is now."""

from typing import Final

from temporalio import workflow

from spine_temporal.format import many, price, shortened, summary, utc
from spine_temporal.journal.counters import Progress, known_cost_usd
from spine_temporal.journal.tool_calls import Call, Calls, Phase
from spine_temporal.workflow.session import Session

_MOST_CALLS: Final = 10
_WIDEST: Final = 200
_AT_WORK: Final = frozenset({Phase.RUNNING, Phase.DELEGATED})


def step_summary(session: Session, step: int) -> str:
    """`step 3 · gpt-4o-mini`."""
    model = session.spec.model
    return summary(f"step {step} · {model}" if model else f"step {step}")


def call_summary(call: Call) -> str:
    """`grep(pattern=…)`: as the worker wrote it."""
    return summary(call.planned.shown or call.planned.name)


def show(session: Session) -> None:
    """Have the present details say where the run is: status, step, what waits for whom, usage.

    Of texts, only those that a run with `ui_text` may show.
    """
    progress = session.progress
    lines = [f"**{progress.status}** · turn {progress.turn} · step {progress.step}"]
    calls = progress.calls
    if calls is not None and not progress.over:
        lines += [_call_line(calls, index, call) for index, call in enumerate(calls.items[:_MOST_CALLS])]
        if len(calls.items) > _MOST_CALLS:
            lines.append(f"- and {many(len(calls.items) - _MOST_CALLS, 'call')} more")
    if progress.queue:
        lines.append(f"- {many(len(progress.queue), 'turn')} queued")
    lines.append(_usage(progress))
    if progress.ending is not None:
        lines.append(f"- stopped: {progress.ending.reason.value}")
    if session.request.ui_text and progress.last_text:
        lines.append(f"- last answer: {_plain(progress.last_text)}")
    workflow.set_current_details("\n".join(lines))


def _call_line(calls: Calls, index: int, call: Call) -> str:
    what = f"`{call_summary(call).replace('`', "'")}`"
    return f"- call {calls.position(index)} {what}: {_where(call)}"


def _where(call: Call) -> str:
    if call.phase is Phase.ASKED:
        until = f", until {utc(call.expires_s)}" if call.expires_s is not None else ""
        return f"waits for a person's decision{until}"
    if call.subagent is not None and call.phase is Phase.DELEGATED:
        agent = call.subagent.delegation.agent
        return f"agent {agent} {'waits for a person' if call.subagent.status == 'paused' else 'works on it'}"
    if call.finished:
        return "done"
    return "at work" if call.phase in _AT_WORK else "to come"


def _usage(progress: Progress) -> str:
    tokens, cost_usd = progress.usage.total_tokens, known_cost_usd(progress.spent)
    return f"- {many(tokens, 'token')}" + (f" · cost {price(tokens, cost_usd)}" if tokens else "")


def _plain(text: str) -> str:
    # A text is shown, not read as Markdown: what it was given to read may want to look like something else.
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#!|" else letter for letter in shortened(text, _WIDEST))
