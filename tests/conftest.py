"""One real server for the suite; a durable test runs in one of two modes, or with `--every-mode` in both."""

import gc
import signal
import sys
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.worker._workflow import _InterruptDeadlockError

from spine_temporal.testing import dev_server
from tests.faults.figures import faults_in, summary
from tests.support.harness import MODES, Durable, Mode
from tests.support.soak import IS_SOAK


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-mode", action="store_true", help="run durable tests in each of their modes, not in one")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Let the SDK interrupt a workflow task of two seconds, as a machine that is very busy may make one.

    What it raises in the task's thread may hit a place from which nothing can be raised, such as a hook of the garbage
    collector or a handler of the loop. The server has the task done again; whatever else is met there fails the test.
    """
    collect = sys.unraisablehook

    def without_interruptions(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is not _InterruptDeadlockError:
            collect(unraisable)

    sys.unraisablehook = without_interruptions
    # What a suite imports and keeps is much; looked through as often as by default, it costs a tenth of the time.
    gc.set_threshold(100_000, 20, 50)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has what it starts in the background ignore Ctrl-C, which programs started by tests would inherit.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not IS_SOAK:
        soak = [item for item in items if item.get_closest_marker("soak") is not None]
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if item not in soak]
    if config.getoption("--every-mode"):
        return
    siblings = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("every_mode") is None:
            mode = item.callspec.params.get("mode") if hasattr(item, "callspec") else None
            if isinstance(mode, Mode):
                siblings[item.nodeid.replace(mode.name, "*", 1)].append(item)
    # By its name, so that it is the same one for everybody, and about half of them run in each.
    left_out = {
        item for name, modes in siblings.items() for item in modes if item is not modes[_number(name) % len(modes)]
    }
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    faults = [fault for report in reports for fault in faults_in(report.user_properties, passed=report.passed)]
    if faults:
        terminalreporter.section("faults")
        for line in summary(faults):
            terminalreporter.line(line)


def _number(name: str) -> int:
    return zlib.crc32(name.encode())


@pytest_asyncio.fixture(scope="session")
async def client() -> AsyncIterator[Client]:
    # How often the server writes down how far it has come; no history is deleted before that. Stock, it is 30 s.
    slow = {"history.transferProcessorUpdateAckInterval": "200ms"}
    async with dev_server(dynamic_config=slow, spine_attributes=False) as server:
        yield server.client


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    assert isinstance(request.param, Mode)
    return request.param


@pytest_asyncio.fixture
async def durable(client: Client, mode: Mode) -> AsyncIterator[Durable]:
    """Runs agents durably. At the end of the test every run is folded, compared, replayed."""
    async with Durable(client, mode) as durable:
        yield durable
