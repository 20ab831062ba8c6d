"""The runbooks: each page's commands, typed in its order on a real server in the state that the page is about."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.deploy.operator_shell import OperatorShell
from tests.deploy.runbooks import RUNBOOKS, typed

pytestmark = pytest.mark.durable

CANNOT_RUN: Final = {
    "temporal operator namespace update --namespace default --active-cluster standby": "needs a second cluster",
}
# The version that is current when somebody opens the page; of the others it does not matter.
CURRENT: Final = {"bad_deploy": "build-2", "provider_is_down": "build-1"}


@pytest_asyncio.fixture(scope="module")
async def shell() -> AsyncIterator[OperatorShell]:
    async with OperatorShell() as shell:
        yield shell


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.stem)
async def test_every_command_of_the_page_ends_well_and_every_batch_finds_runs(
    runbook: Path, shell: OperatorShell
) -> None:
    await shell.make_current(CURRENT.get(runbook.stem, "build-1"))
    await shell.start_some()

    for command in typed():
        if command.runbook == runbook and command.line not in CANNOT_RUN:
            done = await shell.type(command.line)
            assert done.code == 0, (command.line, done)
            assert "approximately 0 workflow" not in done.out, (command.line, done)


def test_what_cannot_run_is_on_a_page() -> None:
    assert set(CANNOT_RUN) <= {command.line for command in typed()}
