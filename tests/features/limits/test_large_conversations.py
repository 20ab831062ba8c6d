"""A large conversation is handed on whole; one that no history can hold is refused while nothing is lost."""

import base64
import os
import random
import uuid
from typing import Any

import pytest
from spine_core import Agent, Guards, Message, ModelResponse, State, tool
from spine_core.testing import calls, text
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from spine_temporal import AgentWorker, ContinuePolicy, DurableAgent
from spine_temporal.activities.restored_parts import RestoredParts
from spine_temporal.contracts.continuation import RestoreInput
from spine_temporal.journal.ledger import Ledger

# A stock server's history holds 50.
MEGABYTES = int(os.environ.get("CONVERSATION_MB", "30"))
PIECE = 1_000_000


# No compression makes it shorter than base64 makes it longer.
NOISE = base64.b64encode(random.Random(1).randbytes(PIECE * 3 // 4)).decode()


class Reader:
    """Reads until it has all, then says so."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        done = sum(message.role == "tool" for message in messages)
        return calls(("read", {"at": done})) if done < MEGABYTES else text("read")


@tool
async def read(at: int) -> str:
    """Read a piece."""
    return NOISE[at:] + NOISE[:at]


@pytest.mark.soak
@pytest.mark.durable
@pytest.mark.timeout(600)
async def test_it_is_continued_opened_again_and_forked_as_one_piece(client: Client) -> None:
    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    agent = Agent(Reader(), tools=[read], guards=Guards(max_steps=None), name="reader")
    early = ContinuePolicy(size_bytes=2_000_000)
    async with AgentWorker(client, agents=[agent], task_queue=queue, cache_bytes=0, continue_policy=early):
        durable = DurableAgent("reader", client, task_queue=queue, session_ttl_s=0)
        first = await durable.run("go", session_id=session)
        again = await durable.run("again", session_id=session)
        fork = await durable.get_run(session).fork(step=MEGABYTES, input="forked")
        forked = await fork.result()

    read_all = [message.content for message in first.state.messages if message.role == "tool"]
    assert [len(piece or "") for piece in read_all] == [PIECE] * MEGABYTES
    for later in (again, forked):
        assert [message.content for message in later.state.messages if message.role == "tool"] == read_all
    executions = [each async for each in client.list_workflows(f"WorkflowId = 'spine-{session}'")]
    assert len(executions) > 2


@pytest.mark.parametrize(("megabytes", "fits"), [(30, True), (33, False)])
async def test_what_no_history_could_hold_is_refused_with_the_remedy(megabytes: int, *, fits: bool) -> None:
    messages = [Message.tool(NOISE[at:] + NOISE[:at], f"c{at}") for at in range(megabytes)]
    ledger, parts = Ledger(state=State(session_id="s", messages=messages)), RestoredParts()
    task = RestoreInput(agent="a", session_id="s")

    async def cut() -> int:
        return parts.of(ledger, ("w", "r"), "id", task).parts

    environment = ActivityEnvironment(client=await Client.connect("127.0.0.1:1", lazy=True))
    if fits:
        assert await environment.run(cut) > megabytes / 2
        return
    with pytest.raises(ApplicationError, match="fork it from an earlier step, begin a new session, or keep large"):
        await environment.run(cut)
