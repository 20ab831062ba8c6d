"""Runs moved off a version of their workers: each continues as new on the current one."""

import asyncio
import math
import time
from typing import Final

from temporalio.client import Client

from spine_temporal.client.deployments import CURRENT, RAMPING, Deployment, Version, describe_deployment
from spine_temporal.client.leaving import CanGoOn, Leaving, Remaining
from spine_temporal.client.read_model import ReadModel
from spine_temporal.errors import BadInput

DEFAULT_WAIT_S: Final = 30.0
_FIRST_LOOK_S: Final = 0.2
# The server's lists are about a second behind: twice that apart, nothing that was there before is overlooked.
_LONGEST_PAUSE_S: Final = 2.0


class Drained(ReadModel):
    """What came of draining a version."""

    deployment: str
    build_id: str
    moves_to: str
    """The build id of the version that is current."""
    moved: int
    """Runs that were asked to move, and are pinned to the version no more."""
    remaining: tuple[Remaining, ...]
    status: str
    """The version's, in Temporal's word; the server looks for itself every few minutes whether it is drained."""


async def drain(
    client: Client,
    build_id: str,
    *,
    deployment: str | None = None,
    wait_s: float = DEFAULT_WAIT_S,
    can_go_on: CanGoOn | None = None,
) -> Drained:
    """Have the runs of a version continue as new on the current one, with all that they carry.

    It ends when none is left to move, or none has moved for `wait_s`. One that waits, for a person or for its next
    turn, moves at once, one that is at work at its next boundary. It is the version's own workers who move it. With
    `can_go_on` the current version's workers do, where that finds nothing against it: for a version that has no
    workers any more.

    Raises:
        BadInput: there is no such version, it is in use, or there is no current one to move to.
        temporalio.service.RPCError: the server refuses, or knows no deployments.
    """
    found = await describe_deployment(client, deployment, only=build_id)
    leaving = Leaving(client, found.name, _to_be_left(found, build_id), can_go_on)
    give_up_s, pause_s, fewest, empty = time.monotonic() + wait_s, _FIRST_LOOK_S, math.inf, False
    while True:
        waited_for = await leaving.ask_all()
        if waited_for < fewest:
            fewest, give_up_s = waited_for, time.monotonic() + wait_s
        left_s = give_up_s - time.monotonic()
        if (not waited_for and empty) or left_s <= 0:
            break
        # An empty list is believed the second time.
        empty, pause_s = not waited_for, min(pause_s * 2, _LONGEST_PAUSE_S)
        await asyncio.sleep(min(left_s, _LONGEST_PAUSE_S / 2 if empty else pause_s))
    remaining = tuple(await leaving.remaining())
    version = (await describe_deployment(client, found.name, only=build_id)).version(build_id)
    return Drained(
        deployment=found.name,
        build_id=build_id,
        moves_to=found.current or "",
        moved=len(leaving.asked - {each.run_id for each in remaining}),
        remaining=remaining,
        status=version.status if version is not None else "gone",
    )


def _to_be_left(found: Deployment, build_id: str) -> Version:
    version = found.version(build_id)
    if version is None:
        known = ", ".join(f"{each.build_id} ({each.status})" for each in found.versions)
        raise BadInput(f"deployment {found.name!r} has no version {build_id!r}; it has {known or 'none'}")
    if version.status in (CURRENT, RAMPING):
        raise BadInput(
            f"version {build_id!r} of deployment {found.name!r} is {version.status}: its runs would begin on it anew; "
            f"make another one current first, `temporal worker deployment set-current-version --deployment-name "
            f"{found.name} --build-id ...`"
        )
    if found.current is None:
        raise BadInput(
            f"deployment {found.name!r} has no current version to move to; `temporal worker deployment "
            f"set-current-version --deployment-name {found.name} --build-id ...` makes one current"
        )
    return version
