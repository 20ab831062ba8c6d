"""A worker killed at any RPC that it makes, or left without the reply, changes nothing of what comes of a run."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

import pytest
from temporalio.client import Client

from tests.faults.figures import PROPERTY, Fault
from tests.faults.matrix import SCENARIOS, STRIKES, Boundary, Scenario, boundaries, sample
from tests.faults.strike import Struck, strike
from tests.support.soak import IS_SOAK

pytestmark = [pytest.mark.durable, pytest.mark.timeout(0)]

_SEED: Final = int(os.environ.get("FAULT_SEED", "1"))
_ONLY: Final = os.environ.get("FAULT_ONLY")
# Most of a strike is waiting until the server takes the worker for dead.
_AT_ONCE: Final = int(os.environ.get("FAULT_AT_ONCE", "6"))

# One with caches and one without; the soak has all.
_FEW: Final = ("gated-cached-eager", "delegating-uncached-polled")
_PLAYED: Final = [each for each in SCENARIOS if IS_SOAK or _ONLY or str(each) in _FEW]


@pytest.mark.parametrize("scenario", _PLAYED, ids=str)
async def test_a_worker_struck_at_any_boundary_leaves_the_run_as_if_undisturbed(
    client: Client, scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    clean = await strike(client, scenario, None)
    assert clean.verdict == "right", clean.why
    assert clean.result is not None
    struck = await _strike_each(client, scenario, _chosen(scenario, clean), clean)

    for _, outcome in struck:
        record_property(PROPERTY, Fault("worker at a boundary", outcome.verdict, outcome.recovery_s).as_text())
    failed = [(boundary, outcome) for boundary, outcome in struck if outcome.verdict not in ("right", "not reached")]
    assert not failed, "\n".join(_told(scenario, *each) for each in failed)


def _chosen(scenario: Scenario, clean: Struck) -> list[Boundary]:
    found = boundaries(clean.calls, clean.tasks)
    if _ONLY:
        return [boundary for boundary in found if str(boundary) == _ONLY]
    return found if STRIKES == "all" else sample(found, int(STRIKES), f"{_SEED} {scenario}")


async def _strike_each(
    client: Client, scenario: Scenario, chosen: list[Boundary], clean: Struck
) -> list[tuple[Boundary, Struck]]:
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(boundary: Boundary) -> tuple[Boundary, Struck]:
        async with few:
            struck = await strike(client, scenario, boundary, clean.result)
            recovered = "" if struck.recovery_s is None else f" in {struck.recovery_s:.1f} s"
            print(f"{scenario} {boundary}: {struck.verdict}{recovered}")
            return boundary, struck

    return await asyncio.gather(*map(one, chosen))


def _told(scenario: Scenario, boundary: Boundary, struck: Struck) -> str:
    again = f'FAULT_ONLY={boundary} make test-first ARGS="tests/faults/test_every_boundary.py -n 0 -k {scenario} -s"'
    return f"{struck.verdict} after {boundary} (seed {_SEED}): {struck.why}\nAgain: {again}"
