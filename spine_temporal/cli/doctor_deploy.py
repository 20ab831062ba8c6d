"""What is in order with a deployment: its versions, the clock, the age of its key."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.cli.server import Server
from spine_temporal.client.deployments import CURRENT, DRAINED, RAMPING, Deployment, Version, describe_deployment
from spine_temporal.connection.clock import clock_skew_s
from spine_temporal.connection.settings import KEY_FILE, encryption_keys
from spine_temporal.errors import BadInput, ServerUnreachable
from spine_temporal.format import ago, duration, many

# A person who compares a log with the web UI is misled by more; timers and expiries are the server's anyway.
_MOST_SKEW_S: Final = 5.0
# NIST SP 800-57 gives a key that encrypts data up to two years of use; half of that leaves time to rotate.
_OLDEST_KEY_DAYS: Final = 365
# As `spine-temporal key new` names them.
_DATED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-|$)")


async def check_deploy(server: Server, name: str | None) -> list[Finding]:
    """What was found; nothing of what cannot be looked at when the server does not answer."""
    try:
        client = await server.client()
    except (ServerUnreachable, BadInput):
        # The lines on the server have it.
        return []
    return [found async for found in _findings(server, client, name)]


async def _findings(server: Server, client: Client, name: str | None) -> AsyncIterator[Finding]:
    try:
        deployment = await describe_deployment(client, name)
    except BadInput as error:
        yield Finding(Level.NOTE, "deployment", str(error))
    except RPCError as error:
        yield Finding(Level.NOTE, "deployment", f"the server says nothing of deployments: {error.message}")
    else:
        for found in _deployment(server, deployment):
            yield found
    yield await _clock(client)
    age = key_age()
    if age is not None:
        yield age


def _deployment(server: Server, deployment: Deployment) -> Iterator[Finding]:
    make_current = server.command(
        *("worker", "deployment", "set-current-version", "--deployment-name", deployment.name, "--build-id", "..."),
        program="temporal",
    )
    if deployment.current is None:
        text = f"{deployment.name} has no current version: its workers get nothing new"
        yield Finding(Level.FIX, "deployment", text, f"`{make_current}`")
    else:
        ramping = f", {deployment.ramping} ramping at {deployment.ramp_percent:g} %" if deployment.ramping else ""
        yield Finding(Level.OK, "deployment", f"{deployment.name}, {deployment.current} is current{ramping}")
    for version in deployment.versions:
        yield _version(server, deployment, version)


def _version(server: Server, deployment: Deployment, version: Version) -> Finding:
    what, in_use = f"version {version.build_id}", version.status in (CURRENT, RAMPING)
    polled = "" if version.workers or version.last_polled is None else f" (last {_since(version.last_polled)})"
    text = f"{version.status}, {many(version.workers, 'worker')} polling{polled}, {many(version.pinned, 'pinned run')}"
    drain = ("drain", "--build", version.build_id, "--deployment", deployment.name)
    if in_use and not version.workers:
        return Finding(Level.FIX, what, text, f"start workers of {version.build_id}, or make another version current")
    if in_use:
        return Finding(Level.OK, what, text)
    if version.pinned and version.status == DRAINED:
        why = f"{text}: suspended ones, which the server does not count"
        return Finding(Level.FIX, what, why, f"keep its workers; `{server.command(*drain)}` names the runs")
    if version.pinned and not version.workers:
        return Finding(Level.FIX, what, text, f"start its workers again, or `{server.command(*drain, '--replay')}`")
    if version.pinned:
        return Finding(Level.NOTE, what, text, f"`{server.command(*drain)}` moves them")
    if version.workers and version.status == DRAINED:
        return Finding(Level.OK, what, f"{text}; its workers can be stopped")
    return Finding(Level.OK, what, text)


async def _clock(client: Client) -> Finding:
    try:
        skew_s = await clock_skew_s(client)
    except RPCError as error:
        return Finding(Level.NOTE, "clock", f"the server's cannot be asked: {error.message}")
    if skew_s is None:
        return Finding(Level.NOTE, "clock", "the server's could not be asked")
    if abs(skew_s) <= _MOST_SKEW_S:
        return Finding(Level.OK, "clock", f"within {_MOST_SKEW_S:g} s of the server's")
    way = "ahead of" if skew_s > 0 else "behind"
    return Finding(
        Level.FIX, "clock", f"{duration(abs(skew_s))} {way} the server's", "have both machines keep time by NTP"
    )


def key_age(now: datetime | None = None) -> Finding | None:
    """How old the key is that encrypts; None: there are no keys, or they cannot be used: the line on keys has that."""
    try:
        keys = encryption_keys()
        ring = keys.ring() if keys is not None else None
    except BadInput:
        return None
    if ring is None:
        return None
    since = _made(ring.writing, getattr(keys, "path", None))
    if since is None:
        text = f"key {ring.writing!r} writes; its name has no date"
        return Finding(Level.NOTE, "key age", text, "`spine-temporal key new` names a key by its day")
    days = ((now or datetime.now(UTC)) - since).days
    text = f"key {ring.writing!r} writes, {many(max(days, 0), 'day')} old"
    if days <= _OLDEST_KEY_DAYS:
        return Finding(Level.OK, "key age", text)
    return Finding(Level.FIX, "key age", text, f"put a line of `spine-temporal key new` first in {KEY_FILE}'s file")


def _made(id_: str, file: Path | None) -> datetime | None:
    """When a key was made, by its name, else by its file's last change."""
    dated = _DATED.match(id_)
    if dated is not None:
        try:
            return datetime.fromisoformat(dated[1]).replace(tzinfo=UTC)
        except ValueError:
            return None
    return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file is not None and file.exists() else None


def _since(when: datetime) -> str:
    return ago((datetime.now(UTC) - when).total_seconds())
