"""For any script in which people decide, a durable run and a kernel run have equal Results at every stop."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from spine_core import StopRun
from temporalio.client import Client

from spine_temporal.contracts.policies import ContinuePolicy
from tests.parity.gated import BATCHES, GATED, Batch, Gated
from tests.support import soak
from tests.support.harness import MODES, Durable, Mode, assert_same

pytestmark = pytest.mark.durable

AT_EVERY_BOUNDARY = ContinuePolicy(events=1)


def examples(most: int) -> settings:
    return settings(
        max_examples=soak.examples(most),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


async def assert_as_on_the_kernel(client: Client, mode: Mode, conversation: Gated, **options: Any) -> None:
    kernel = conversation.agent()
    async with Durable(client, mode) as durable:
        served = durable(conversation.agent(), **options)
        theirs, ours = await kernel.run("pay the otters"), await served.run("pay the otters")
        number = 0
        while True:
            assert_same(ours, theirs)
            if theirs.resume_token is None or ours.resume_token is None:
                return
            answer = conversation.answer(number)
            try:
                theirs = await kernel.resume(theirs.resume_token, answer)
            except StopRun:
                # It escapes from the kernel's resume; ours ends with the Result it asks for.
                return
            ours = await served.resume(ours.resume_token, answer)
            number += 1


@examples(8)
@given(conversation=GATED)
async def test_any_conversation_with_decisions_goes_on_as_on_the_kernel(client: Client, conversation: Gated) -> None:
    await assert_as_on_the_kernel(client, MODES[0], conversation)


@pytest.mark.parametrize("mode", MODES[1:], ids=lambda mode: mode.name)
@examples(5)
@given(conversation=GATED)
async def test_it_does_so_without_any_cache(client: Client, mode: Mode, conversation: Gated) -> None:
    await assert_as_on_the_kernel(client, mode, conversation)


@examples(4)
@given(conversation=GATED)
async def test_it_does_so_when_it_continues_as_new_at_every_boundary(client: Client, conversation: Gated) -> None:
    await assert_as_on_the_kernel(client, MODES[0], conversation, continue_policy=AT_EVERY_BOUNDARY)


@examples(7)
@given(batch=BATCHES)
async def test_whatever_the_order_of_the_decisions_the_conversation_is_the_kernels(
    client: Client, batch: Batch
) -> None:
    kernel = batch.agent()
    theirs = await kernel.run("pay the otters")
    while theirs.resume_token is not None:
        assert theirs.state.pending is not None
        answer = batch.answers[int(theirs.state.pending.call.id.removeprefix("call_"))]
        theirs = await kernel.resume(theirs.resume_token, answer)

    async with Durable(client, MODES[0]) as durable:
        run = await durable(batch.agent()).start("pay the otters")
        ours = await run.result()
        gated = [index for index in batch.order if batch.calls[index][0] != "add"]
        receipts = [await run.decide(batch.answers[index], f"1.{index}") for index in gated]
        if receipts:
            ours = await run.next_result(after=receipts[-1].status_number)

    assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
    assert (ours.answer, ours.stopped_reason) == (theirs.answer, theirs.stopped_reason)
