"""For any script in which people decide, the core of the activities makes the run that the kernel makes."""

from hypothesis import given, settings
from spine_core import StopRun

from tests.parity.gated import BATCHES, GATED, Batch, Gated
from tests.rooms.activities.drive import Driven, driven
from tests.support.harness import assert_same

QUICK = settings(max_examples=250, deadline=None, derandomize=True)


@QUICK
@given(conversation=GATED)
async def test_any_conversation_with_decisions_has_the_kernels_result_at_every_stop(conversation: Gated) -> None:
    kernel, run = conversation.agent(), driven(conversation.agent(), "pay the otters")
    theirs = await kernel.run("pay the otters")
    number = 0
    while True:
        ours = await run.until_it_stops()
        assert_same(ours, theirs)
        if theirs.resume_token is None:
            return
        answer = conversation.answer(number)
        try:
            theirs = await kernel.resume(theirs.resume_token, answer)
        except StopRun:
            # It escapes from the kernel's resume; ours ends with the Result it asks for.
            return
        run.resume(answer)
        number += 1


@QUICK
@given(batch=BATCHES)
async def test_whatever_the_order_of_the_decisions_the_conversation_is_the_kernels(batch: Batch) -> None:
    kernel, run = batch.agent(), driven(batch.agent(), "pay the otters")
    theirs = await kernel.run("pay the otters")
    while theirs.resume_token is not None:
        assert theirs.state.pending is not None
        answer = batch.answers[int(theirs.state.pending.call.id.removeprefix("call_"))]
        theirs = await kernel.resume(theirs.resume_token, answer)

    await decided_in_order(run, batch)
    ours = await run.until_it_stops()

    assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
    assert (ours.answer, ours.stopped_reason) == (theirs.answer, theirs.stopped_reason)


async def decided_in_order(run: Driven, batch: Batch) -> None:
    """Decide on the gated calls as soon as the run waits for one of them."""
    for index in batch.order:
        if batch.calls[index][0] == "add":
            continue
        ours = await run.until_it_stops()
        assert ours.interrupted
        at = run.progress.batch.stands_at() if run.progress.batch else None
        run.decide(batch.answers[index], f"1.{index}")
        if at == index:
            run.go_on()
