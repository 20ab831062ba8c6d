"""A run of the counting agent, held in its midst and let go on again."""

from pathlib import Path

from spine_core import Result
from temporalio.client import Client

from spine_temporal import Run
from tests.faults.agents import ROUNDS, Effects, counting_agent
from tests.support.harness import assert_same, history_of, replay


async def undisturbed(tmp_path: Path) -> Result:
    """What the kernel makes of it."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    return await counting_agent(folder).run("count")


async def assert_as_undisturbed(client: Client, run: Run, result: Result, effects: Effects, tmp_path: Path) -> None:
    """The Result is the kernel's, the history replays, each call has one key."""
    assert_same(result, await undisturbed(tmp_path))
    await replay(await history_of(client, run))
    keys = {line for line in effects.lines() if line.startswith("key ")}
    assert len(keys) == ROUNDS, "another attempt of a call has another idempotency key"
    assert len({key.split()[-1] for key in keys}) == ROUNDS, "two calls have one idempotency key"
