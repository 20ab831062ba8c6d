"""A call that waits for a person, in words."""

import json
from datetime import UTC, datetime
from typing import Final

from spine_temporal.cli.finding import named
from spine_temporal.cli.server import Server
from spine_temporal.client.approvals import Approval
from spine_temporal.format import ago, ahead, call, shortened

ASKS: Final = "manual"
"""The mode of a call whose tool asks by itself, and takes a value; any other is approved or rejected."""
_WIDEST: Final = 300


def what(approval: Approval, width: int = _WIDEST) -> str:
    """`pay(amount=120)`; of a tool that asks by itself, also its question."""
    asked = call(approval.tool, approval.arguments)
    if approval.mode == ASKS:
        payload = approval.payload
        asked = f"{asked} asks: {payload if isinstance(payload, str) else json.dumps(payload)}"
    return shortened(asked, width)


def asked(approval: Approval) -> str:
    """When the run began to wait for it."""
    if approval.asked_at is None:
        return "not yet"
    return ago((datetime.now(UTC) - approval.asked_at).total_seconds())


def expires(approval: Approval) -> str:
    """When it is too late."""
    if approval.expires_at is None:
        return "never"
    return ahead((approval.expires_at - datetime.now(UTC)).total_seconds())


def told(approval: Approval, run: str) -> str:
    """All of it in one line, for whoever looks at `run`; a call of an agent below it names that one's run."""
    asking = named(approval.workflow_id)
    parts = [what(approval), f"call {approval.position}" + ("" if asking == run else f" of {asking}")]
    parts.append("its turn has not come" if approval.asked_at is None else f"asked {asked(approval)}")
    if approval.expires_at is not None:
        parts.append(f"expires {expires(approval)}")
    return " · ".join(parts)


def ways(server: Server, pending: list[Approval], run: str) -> list[str]:
    """For each of the calls that the run waits for, the lines to type to decide on it."""
    return [_ways(server, each, alone=run if len(pending) == 1 else None) for each in pending]


def _ways(server: Server, approval: Approval, *, alone: str | None) -> str:
    run = [alone or named(approval.workflow_id)]
    which = [] if alone else [approval.position]
    if approval.mode == ASKS:
        return f"`{server.command('answer', *run, 'VALUE', *which)}`"
    approve, reject = (server.command(word, *run, *which) for word in ("approve", "reject"))
    return f"`{approve}` or `{reject}`"
