"""A request that was sent in vain is sent again ever less often, for five minutes, with a warning at each pause."""

import asyncio
import logging
import time

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import RunNotFound, ServerUnreachable
from spine_temporal.history.patience import Patience

pytestmark = pytest.mark.durable


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, by a clock that only sleep moves."""
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0 + sum(slept))
    return slept


async def sent_in_vain(client: Client, status: RPCStatusCode) -> str:
    """What is raised at last."""
    patience = Patience(client, "spine-s1")
    while True:
        try:
            await patience.wait(RPCError("not now", status, b""))
        except ServerUnreachable as error:
            return str(error)


@pytest.mark.parametrize(
    ("status", "longest_s", "says"),
    [
        (RPCStatusCode.UNAVAILABLE, 1.0, "has been away for"),
        (RPCStatusCode.RESOURCE_EXHAUSTED, 10.0, "is there, but has refused for"),
    ],
)
async def test_pauses_grow_and_each_is_logged(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    pauses: list[float],
    status: RPCStatusCode,
    longest_s: float,
    says: str,
) -> None:
    with caplog.at_level(logging.WARNING, "spine_temporal.history.patience"):
        error = await sent_in_vain(client, status)

    assert says in error
    assert 300 < sum(pauses) < 300 + 2 * 1.2 * longest_s
    assert max(pauses[:2]) < 0.3
    assert all(0.8 * longest_s <= pause_s <= 1.2 * longest_s for pause_s in pauses[-10:])
    lines = [record.getMessage() for record in caplog.records]
    late_s = [pause_s for at, pause_s in enumerate(pauses) if sum(pauses[:at]) >= 1.0]
    assert [line.partition("asking again in ")[2] for line in lines] == [f"{pause_s:.1f} s" for pause_s in late_s]
    assert all("'spine-s1'" in line and f"({status.name}: not now)" in line for line in lines)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RPCStatusCode.NOT_FOUND, RunNotFound),
        (RPCStatusCode.INVALID_ARGUMENT, RunNotFound),
        (RPCStatusCode.PERMISSION_DENIED, RPCError),
        (RPCStatusCode.UNAUTHENTICATED, RPCError),
    ],
)
async def test_what_no_patience_helps_against_is_raised_at_once(
    client: Client, pauses: list[float], status: RPCStatusCode, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        await Patience(client, "spine-s1").wait(RPCError("no", status, b""))

    assert not pauses
