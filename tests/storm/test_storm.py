"""Whatever happens to a session, in whatever order, all that was acknowledged takes effect once."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from tests.storm.checks import check
from tests.storm.plans import KINDS, storm
from tests.storm.storming import Storming

pytestmark = pytest.mark.durable

_SEED: Final = os.environ.get("STORM_SEED")
# A quarter of a minute on two cores; `make soak` takes more of them, and others each time.
_FEW: Final = 3
_EXAMPLES: Final = int(os.environ.get("STORM_EXAMPLES", _FEW))
_KINDS: Final = tuple(os.environ.get("STORM_KINDS", ",".join(KINDS)).split(","))
_SEEDS: Final = st.just(int(_SEED)) if _SEED else st.integers(0, 2**32 - 1)


@pytest.mark.timeout(0)
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=_EXAMPLES == _FEW,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=_SEEDS)
async def test_all_that_was_acknowledged_in_a_storm_takes_effect_once(client: Client, seed: int) -> None:
    storming = Storming(client, storm(seed, _KINDS))
    try:
        await storming.rage()
        await check(storming)
    except BaseException:
        print(f"\nThe storm {seed} over {storming.session}: {storming.log}")
        print(
            f'Again: STORM_SEED={seed} STORM_EXAMPLES=1 STORM_KINDS={",".join(_KINDS)} make test ARGS="tests/storm -s"'
        )
        raise
