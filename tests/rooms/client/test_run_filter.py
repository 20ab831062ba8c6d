"""The query of a filter, for the search attributes that a server has."""

from datetime import UTC, datetime

import pytest

from spine_temporal.client.run_filter import RunFilter
from spine_temporal.contracts import names
from spine_temporal.contracts.search_attributes import NAMES

_ALL = "WorkflowType = 'spine.agent' AND ExecutionStatus != 'ContinuedAsNew'"
_TWO = (names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE)


@pytest.mark.parametrize(
    ("wanted", "there", "condition"),
    [
        (RunFilter(), NAMES, ""),
        (RunFilter(agent="it's"), NAMES, " AND (SpineAgent = 'it''s' OR SpineAgent IS NULL)"),
        (RunFilter(agent="a"), (), ""),
        (RunFilter(agent='"'), NAMES, ""),
        (RunFilter(tenant="t"), NAMES, " AND (SpineTenant = 't' OR SpineTokens IS NULL)"),
        (RunFilter(tenant="t"), _TWO, ""),
        (RunFilter(min_cost_usd=0.5), NAMES, " AND (SpineCostUsd >= 0.500000000 OR SpineTokens IS NULL)"),
        (RunFilter(max_cost_usd=0.5), _TWO, ""),
        (RunFilter(status="paused"), (), " AND ExecutionStatus = 'Running'"),
        (
            RunFilter(status="paused"),
            _TWO,
            " AND ExecutionStatus = 'Running' AND (SpineStatus = 'paused' OR SpineStatus IS NULL)",
        ),
        (RunFilter(status="timed_out"), NAMES, " AND ExecutionStatus = 'TimedOut'"),
        (RunFilter(status="suspended"), NAMES, " AND ExecutionStatus = 'Paused'"),
        (
            RunFilter(since=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 3, tzinfo=UTC)),
            (),
            " AND StartTime >= '2026-01-02T00:00:00+00:00' AND StartTime <= '2026-01-03T00:00:00+00:00'",
        ),
    ],
)
def test_what_the_server_has_no_index_for_is_not_asked(
    wanted: RunFilter, there: tuple[str, ...], condition: str
) -> None:
    assert wanted.query(there) == _ALL + condition


def test_failed_runs_are_found_by_their_reason_where_it_is_indexed() -> None:
    query = RunFilter(status="failed").query(NAMES)

    assert "SpineStopReason = 'error'" in query
    assert "SpineStopReason" not in RunFilter(status="failed").query(_TWO)


def test_a_run_of_unknown_cost_is_neither_above_a_limit_nor_below_it() -> None:
    known = {"agent": "a", "tenant": None, "status": "idle"}

    for wanted in (RunFilter(min_cost_usd=0.0), RunFilter(max_cost_usd=9.0)):
        assert wanted.fits(**known, cost_usd=1.0)  # type: ignore[arg-type]
        assert not wanted.fits(**known, cost_usd=None)  # type: ignore[arg-type]
