"""A call that waits for a person, in words."""

import json
from datetime import UTC, datetime
from typing import Final

from spine_temporal.cli.server import Server
from spine_temporal.client.approvals import Approval
from spine_temporal.client.run_summary import run_name
from spine_temporal.format import ago, ahead, call, shortened

MANUAL: Final = "manual"
"""The mode of a call whose tool asks by itself, and takes a value; any other is approved or rejected."""
_WIDEST: Final = 300


def question(approval: Approval, width: int = _WIDEST) -> str:
    """`pay(amount=120)`; of a tool that asks by itself, also its question."""
    text = call(approval.tool, approval.arguments)
    if approval.mode == MANUAL:
        payload = approval.payload
        text = f"{text} asks: {payload if isinstance(payload, str) else json.dumps(payload)}"
    return shortened(text, width)


def asked_at(approval: Approval) -> str:
    """When the run began to wait for it."""
    if approval.asked_at is None:
        return "not yet"
    return ago((datetime.now(UTC) - approval.asked_at).total_seconds())


def expires_at(approval: Approval) -> str:
    """When it is too late."""
    if approval.expires_at is None:
        return "never"
    return ahead((approval.expires_at - datetime.now(UTC)).total_seconds())


def approval_line(approval: Approval, run: str) -> str:
    """All of it in one line, for whoever looks at `run`; a call of an agent below it names that one's run."""
    asking = run_name(approval.workflow_id)
    parts = [question(approval), f"call {approval.position}" + ("" if asking == run_name(run) else f" of {asking}")]
    parts.append("its turn has not come" if approval.asked_at is None else f"asked {asked_at(approval)}")
    if approval.expires_at is not None:
        parts.append(f"expires {expires_at(approval)}")
    return " · ".join(parts)


def decision_lines(server: Server, pending: list[Approval], run: str) -> list[str]:
    """For each of the calls that the run waits for, the lines to type to decide on it."""
    return [_decision_line(server, each, alone=run if len(pending) == 1 else None) for each in pending]


def _decision_line(server: Server, approval: Approval, *, alone: str | None) -> str:
    run = [alone or run_name(approval.workflow_id)]
    which = [] if alone else [approval.position]
    if approval.mode == MANUAL:
        return f"`{server.run_command('answer', *run, 'VALUE', *which)}`"
    approve, reject = (server.run_command(word, *run, *which) for word in ("approve", "reject"))
    return f"`{approve}` or `{reject}`"
