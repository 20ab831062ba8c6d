"""A conversation in a checkpoint backend that is no ordinary one, and histories that grew long."""

from pathlib import Path

import pytest
from spine_backends.sqlite import SQLiteCheckpoint
from spine_core import State
from temporalio.client import Client

from spine_temporal import TemporalCheckpoint
from spine_temporal.contracts.policies import ContinuePolicy
from tests.features.sessions.talk import chain_of, check_chain, new_session, parrot, texts, until_closed
from tests.support.harness import ONLY_NORMAL, Durable, assert_same

pytestmark = pytest.mark.durable


async def test_conversation_that_the_kernel_kept_on_temporal_is_continued(client: Client, durable: Durable) -> None:
    session = new_session()
    await parrot(checkpoint=TemporalCheckpoint(client)).run("hello", session_id=session)
    served = durable(parrot(checkpoint=TemporalCheckpoint(client)), client_options={"session_ttl_s": 0})

    result = await served.run("again", session_id=session)

    assert texts(result.state) == ["hello", "heard hello", "again", "heard again"]
    await until_closed(client, f"spine-{session}")
    third = await parrot(checkpoint=TemporalCheckpoint(client)).run("third", session_id=session)
    assert texts(third.state)[-3:] == ["heard again", "third", "heard third"]


class Broken(SQLiteCheckpoint):
    """A backend that takes nothing."""

    async def put(self, state: State) -> None:
        raise ValueError("the disk is full")


async def test_backend_that_takes_nothing_leaves_the_result(durable: Durable, tmp_path: Path) -> None:
    served = durable(parrot(checkpoint=Broken(tmp_path / "spine.db")))

    assert (await served.run("hello", session_id=new_session())).answer == "heard hello"


@ONLY_NORMAL
async def test_long_run_that_continues_is_the_run_in_one_piece(client: Client, durable: Durable) -> None:
    served, session = durable(parrot(), continue_policy=ContinuePolicy(events=20)), new_session()
    kernel = parrot()

    for n in range(8):
        said = f"add {n} 1 {n} 2"
        ours, theirs = await served.run(said, session_id=session), await kernel.run(said, session_id="s")
    assert_same(ours, theirs)

    first = served.runs[0]
    assert await check_chain(client, served, first.workflow_id, str(first.run_id)) > 3


@ONLY_NORMAL
async def test_large_conversation_comes_back_in_parts(client: Client, durable: Durable) -> None:
    session, noise = new_session(), _noise(600_000)
    served = durable(parrot(), continue_policy=ContinuePolicy(events=40))
    for n in range(2):
        await served.run(f"{n} {noise}", session_id=session)
    for n in range(6):
        result = await served.run(f"turn {n}", session_id=session)

    assert texts(result.state)[:2] == [f"0 {noise}", f"heard 0 {noise}"]
    first = served.runs[0]
    histories = await chain_of(client, first.workflow_id, str(first.run_id))
    restores = [
        event.activity_task_scheduled_event_attributes.activity_type.name for event in histories[-1].events
    ].count("spine.restore")
    assert len(histories) > 1
    assert restores > 1


def _noise(chars: int) -> str:
    """Text that does not compress well."""
    state, made = 1, []
    for _ in range(chars):
        state = (state * 1103515245 + 12345) % 2**31
        made.append(chr(33 + (state >> 16) % 90))
    return "".join(made)
