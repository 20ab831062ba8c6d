"""A workflow that asks an agent badly fails with a sentence, instead of trying its task for ever."""

import uuid
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from spine_temporal import SpinePlugin
from tests.rooms.worker.own_workflow import Asking, AskingUnchecked
from tests.support.agents_at_hand import adding_agent
from tests.support.harness import replay_in_sandbox

pytestmark = pytest.mark.durable


async def ask(client: Client, workflow: type, *arguments: Any) -> str:
    queue = uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[workflow], plugins=[SpinePlugin([adding_agent()])]):
        answered = await client.execute_workflow("asking", [*arguments], id=f"asking-{queue}", task_queue=queue)
    assert answered == "3"
    return f"asking-{queue}"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((None, "go", {}), "the agent's name is None; it is text, and not empty"),
        (("assistant", "", {}), "the input of a run is what the user says, '' says nothing"),
        (("assistant", None, {}), "the input of a run is what the user says, None says nothing"),
        (
            ("assistant", 2_000_000, {}),
            "the input has 2,000,0.. bytes as it is sent, the start of a child workflow holds",
        ),
        (("assistant", "go", {"session_id": "x" * 1000}), "has 1,006 bytes of 1,000"),
        (("assistant", "go", {"session_id": "a/1.0~0a1b2c3d"}), "has the form that the runs of subagents have"),
        (("assistant", "go", {"session_id": True}), "a session id is text, True is none"),
        (("assistant", "go", {"task_queue": 7}), "task_queue is 7; it is text"),
        (("assistant", "go", {"task_queue": "x" * 1001}), "task_queue 'x+'... has 1,001 bytes of 1,000"),
    ],
    ids=[
        "no name",
        "empty",
        "nothing",
        "large",
        "long session",
        "a child's id",
        "no session",
        "no queue",
        "long queue",
    ],
)
async def test_what_there_can_be_no_run_of_fails_the_workflow(client: Client, arguments: Any, told: str) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await ask(client, Asking, *arguments)

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "spine.BadRequest"
    with pytest.raises(ApplicationError, match=told):
        raise failed.value.cause


@pytest.mark.parametrize("options", [{}, {"session_id": ""}, {"session_id": None, "task_queue": ""}], ids=repr)
async def test_what_says_nothing_is_left_to_us(client: Client, options: dict[str, Any]) -> None:
    await ask(client, Asking, "assistant", "1 + 2?", options)


async def test_what_went_through_before_it_was_refused_is_replayed(client: Client) -> None:
    session = f"{uuid.uuid4().hex}/1.0~0a1b2c3d"
    before = await ask(client, AskingUnchecked, "assistant", "1 + 2?", {"session_id": session})

    await replay_in_sandbox(await client.get_workflow_handle(before).fetch_history(), [Asking])
