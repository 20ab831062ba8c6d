"""For any script, a durable run and a kernel run have equal Results."""

import pytest
from hypothesis import HealthCheck, given, settings
from temporalio.client import Client

from tests.parity.scripts import CONVERSATIONS, Conversation
from tests.support.harness import ONE_CACHE, Durable, Mode, assert_same

pytestmark = pytest.mark.durable


def quickly(most: int) -> settings:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=most, deadline=None, derandomize=True, suppress_health_check=checks)


@quickly(40)
@given(conversation=CONVERSATIONS)
async def test_any_conversation_ends_as_on_the_kernel(client: Client, mode: Mode, conversation: Conversation) -> None:
    await assert_as_on_the_kernel(client, mode, conversation)


@pytest.mark.parametrize("mode", ONE_CACHE, ids=lambda mode: mode.name)
@quickly(10)
@given(conversation=CONVERSATIONS)
async def test_it_does_so_without_one_of_the_caches(client: Client, mode: Mode, conversation: Conversation) -> None:
    await assert_as_on_the_kernel(client, mode, conversation)


async def assert_as_on_the_kernel(client: Client, mode: Mode, conversation: Conversation) -> None:
    theirs = await conversation.agent().run("count the otters")

    async with Durable(client, mode) as durable:
        ours = await durable(conversation.agent()).run("count the otters")

    assert_same(ours, theirs)
