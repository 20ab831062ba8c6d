"""What systemd gets to know of a worker: a real socket in the place of its own."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from spine_temporal.worker.health import LOOP_HELD_S
from spine_temporal.worker.service_manager import service_manager


@pytest.fixture(params=["in a folder", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of systemd, which waits 20 ms for a sign of life."""
    name = str(tmp_path / "notify") if request.param == "in a folder" else f"@{tmp_path.name}-{id(request)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        yield manager


def test_worker_is_ready_then_lives_then_ends(systemd: socket.socket) -> None:
    with service_manager(lambda: 0.5):
        assert systemd.recv(100) == b"READY=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        assert systemd.recv(100) == b"WATCHDOG=1"

    told = {systemd.recv(100)}
    while b"STOPPING=1" not in told:
        told.add(systemd.recv(100))
    assert told <= {b"WATCHDOG=1", b"STOPPING=1"}


def test_worker_whose_loop_is_held_does_not_live(systemd: socket.socket) -> None:
    asked: list[float] = []

    def held() -> float:
        # Three times it is; then it turns again, so that the test sees that nothing came before.
        asked.append(LOOP_HELD_S if len(asked) < 3 else 0.0)
        return asked[-1]

    with service_manager(held):
        assert systemd.recv(100) == b"READY=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        assert asked[:4] == [LOOP_HELD_S, LOOP_HELD_S, LOOP_HELD_S, 0.0]


def test_without_a_watchdog_it_only_says_that_it_is_ready_and_ends(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")

    with service_manager(lambda: 0.0):
        assert systemd.recv(100) == b"READY=1"
    assert systemd.recv(100) == b"STOPPING=1"


def test_manager_that_does_not_listen_is_no_reason_not_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    worked = False

    with service_manager(lambda: 0.0):
        worked = True

    assert worked
