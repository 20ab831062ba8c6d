"""For any script, a durable run and a kernel run have equal Results."""

import pytest
from hypothesis import HealthCheck, given, settings
from temporalio.client import Client

from tests.harness import Durable, Mode, assert_same
from tests.parity.scripts import CONVERSATIONS, Conversation

pytestmark = pytest.mark.durable


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conversation=CONVERSATIONS)
async def test_any_conversation_ends_as_on_the_kernel(client: Client, mode: Mode, conversation: Conversation) -> None:
    theirs = await conversation.agent().run("count the otters")

    async with Durable(client, mode) as durable:
        ours = await durable(conversation.agent()).run("count the otters")

    assert_same(ours, theirs)
