"""A conversation in spine's own checkpoint backends: mirrored there, reopened from there."""

import pytest
from spine_core import CheckpointStore
from temporalio.client import Client

from tests.features.sessions.talk import delete_history, new_session, parrot, texts, until_closed
from tests.support.harness import NO_CACHES, NORMAL, ONLY_NORMAL, Durable

pytestmark = pytest.mark.durable


@pytest.mark.parametrize(
    ("backend", "mode"),
    [("sqlite", NORMAL), ("sqlite", NO_CACHES), ("redis", NORMAL), ("postgres", NORMAL)],
    indirect=["mode"],
    ids=lambda value: getattr(value, "name", value),
)
async def test_kernel_and_durable_runs_take_turns_in_one_conversation(
    client: Client, durable: Durable, store: CheckpointStore
) -> None:
    session = new_session()
    kernel = parrot(checkpoint=store)
    served = durable(parrot(checkpoint=store), client_options={"session_ttl_s": 0})
    said: list[str] = []
    for n in range(2):
        said += [f"kernel {n}", f"heard kernel {n}"]
        assert texts((await kernel.run(f"kernel {n}", session_id=session)).state) == said
        said += [f"add {n} 1", "None", str(n + 1), f"got {n + 1}"]
        result = await served.run(f"add {n} 1", session_id=session)
        assert texts(result.state) == said
        assert await store.get(session) == result.state
        await until_closed(client, f"spine-{session}")


@ONLY_NORMAL
async def test_conversation_goes_on_from_the_backend_when_its_history_is_gone(
    client: Client, durable: Durable, store: CheckpointStore
) -> None:
    session = new_session()
    served = durable(parrot(checkpoint=store), client_options={"session_ttl_s": 0})
    await served.run("hello", session_id=session)
    await until_closed(client, f"spine-{session}")
    await delete_history(client, f"spine-{session}", str(served.runs.pop().run_id))

    result = await served.run("again", session_id=session)

    assert texts(result.state) == ["hello", "heard hello", "again", "heard again"]
    assert await store.get(session) == result.state


@pytest.mark.parametrize("mode", [NORMAL, NO_CACHES], ids=["normal", "no_caches"], indirect=True)
async def test_conversation_with_a_nul_character_is_in_the_backend_and_goes_on_from_there(
    client: Client, durable: Durable, store: CheckpointStore, caplog: pytest.LogCaptureFixture
) -> None:
    session = new_session()
    served = durable(parrot(checkpoint=store), client_options={"session_ttl_s": 0})
    with caplog.at_level("WARNING", "spine_temporal"):
        for said in ("nul \0", "again"):
            result = await served.run(said, session_id=session)
            await until_closed(client, f"spine-{session}")
    assert texts(result.state) == ["nul \0", "heard nul \0", "again", "heard again"]
    kept = await store.get(session)
    assert kept is not None
    assert len(texts(kept)) == 4
    # SQLite and Redis hold them as they are.
    replaced = kept != result.state
    assert [record for record in caplog.records if "NUL characters" in record.message] != [] or not replaced

    for run in (served.runs.pop(), served.runs.pop()):
        await delete_history(client, f"spine-{session}", str(run.run_id))
    result = await served.run("third", session_id=session)

    nul = "\N{REPLACEMENT CHARACTER}" if replaced else "\0"
    assert texts(result.state) == [f"nul {nul}", f"heard nul {nul}", "again", "heard again", "third", "heard third"]


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
async def test_kernel_cannot_keep_a_nul_character_in_postgres(store: CheckpointStore) -> None:
    with pytest.raises(Exception, match="0000 cannot be converted to text"):
        await parrot(checkpoint=store).run("nul \0", session_id=new_session())
