"""The backends that a `spine.toml` names, used as the agents that it describes use them."""

import uuid
from pathlib import Path

import pytest
from spine_core import Agent

from spine_temporal.plugins.spine_toml import described
from tests.features.backends.connections import disconnect
from tests.features.backends.listener import FACTS, QUESTION, Listener, recalled_from
from tests.features.sessions.talk import texts

CHECKPOINT = """
[spine.backends]
checkpoint = "{backend}"

[spine.plugins.sqlite]
path = "${{PLACE}}"

[spine.plugins.redis]
url = "${{PLACE}}"

[spine.plugins.postgres]
dsn = "${{PLACE}}"
"""
MEMORY = """
[spine.backends]
memory = "{memory}"

[spine.plugins.MemoryRecall]
k = 1

[spine.plugins.pgvector]
dsn = "${{PLACE}}"
table = "{table}"
"""


def agent_of(folder: Path, text: str) -> tuple[Agent, Listener]:
    """The agent that a `spine.toml` describes, with a model that listens."""
    (folder / "spine.toml").write_text('[spine]\ndefault_model = "offline:planner"\n' + text)
    found = described(folder)
    assert found is not None
    agent, model = found[1], Listener()
    agent.provider = model
    return agent, model


async def test_conversation_goes_on_from_the_checkpoint_that_is_named(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "spine.db") if backend == "sqlite" else request.getfixturevalue("server").url
    monkeypatch.setenv("PLACE", place)
    first, second = (agent_of(tmp_path, CHECKPOINT.format(backend=backend))[0] for _ in range(2))
    session = uuid.uuid4().hex

    await first.run("hello", session_id=session)
    result = await second.run("again", session_id=session)

    assert texts(result.state) == ["hello", "heard: hello", "again", "heard: again"]
    for agent in (first, second):
        await disconnect(agent.checkpoint)


async def test_memory_that_is_named_is_recalled_from(
    memory: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", dsn)
    agent, model = agent_of(tmp_path, MEMORY.format(memory=memory, table=f"memory_{uuid.uuid4().hex}"))

    for said in (*FACTS, QUESTION):
        await agent.run(said)

    assert model.recalled == recalled_from(memory)
    await disconnect(agent.chain.middlewares[0].memory)
