"""What the cache takes itself for is what it keeps alive, also of conversations that were gone on with elsewhere."""

import gc
import sys
import types
import uuid
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, State, tool
from spine_core.testing import calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.activities.working_messages import WorkingMessages
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.snapshot import dump_ledger, load_ledger

_LETTERS = 20_000
_NO_DATA = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)


class Talker:
    """Calls the tool once in a turn, with much text; answers with as much."""

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        content = f"{len(messages)} — ".ljust(_LETTERS, ".")
        asked = messages[-1].role == "user"
        return calls(("look", {"letters": _LETTERS}), content=content) if asked else text(content)


@tool
async def look(letters: int) -> str:
    """Find much."""
    return "— found ".ljust(letters, "-")


def kept_alive(root: object) -> list[Any]:
    """All that is reached from there."""
    found, left = dict[int, object](), [root]
    while left:
        each = left.pop()
        if id(each) not in found and not isinstance(each, _NO_DATA):
            found[id(each)] = each
            left += gc.get_referents(each)
    return list(found.values())


@pytest.mark.durable
async def test_of_two_turns_of_a_closed_session_each_text_is_kept_once_for_each_execution(client: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents={"talker": Agent(Talker(), tools=[look])}, task_queue=queue) as worker:
        durable = DurableAgent("talker", client, task_queue=queue, session_ttl_s=0)
        for turn in range(2):
            await durable.run(f"{turn} said ".ljust(_LETTERS, "—"), session_id="talked")

        cache = worker.plugin.activities_of_agents.cache
        real_bytes = sum(map(sys.getsizeof, kept_alive(cache._kept)))

        assert len(cache._kept) == 2
        assert cache._total_bytes / 1.3 < real_bytes < cache._total_bytes * 1.3


def test_what_was_appended_to_lent_messages_is_not_kept_with_them() -> None:
    working, answer = WorkingMessages(), Message.assistant("the answer")
    lent = working.lend(State(session_id="s", messages=[Message.user("hi")]))
    lent.messages.append(answer)

    given = working.given_back(lent)

    assert given.state.messages[-1] is answer
    assert not any(each is answer for each in kept_alive(working))


def test_the_last_texts_of_a_snapshot_are_those_of_its_messages() -> None:
    said = [
        Message.user("hi"),
        Message.assistant("hello " * 100),
        Message.user("and?"),
        Message.assistant("bye " * 100),
    ]
    progress = replace(Progress(), last_text=said[3].content, answer=said[1].content)
    ledger = Ledger(progress=progress, state=State(session_id="s", messages=said))

    read = load_ledger(dump_ledger(ledger))

    assert read.progress.last_text is read.state.messages[3].content
    assert read.progress.answer is read.state.messages[1].content
    assert (read.progress.last_text, read.progress.answer) == (said[3].content, said[1].content)
