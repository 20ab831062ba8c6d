"""Spine's memories through MemoryRecall: what one durable run stored, the next recalls."""

from collections.abc import Callable

import pytest
from spine_core import Agent
from spine_core.memory import Memory
from spine_middleware import MemoryRecall

from tests.features.backends.listener import FACTS, QUESTION, Listener, recalled_from
from tests.features.sessions.talk import new_session
from tests.support.harness import ONLY_NORMAL, Durable, assert_same

pytestmark = pytest.mark.durable


@ONLY_NORMAL
async def test_run_recalls_what_the_runs_before_it_stored_as_on_the_kernel(
    durable: Durable, memory: str, new_memory: Callable[[], Memory]
) -> None:
    ours, theirs = new_memory(), new_memory()
    model, kernels_model = Listener(), Listener()
    served = durable(Agent(model, middleware=[MemoryRecall(ours, k=1)]))
    kernel = Agent(kernels_model, middleware=[MemoryRecall(theirs, k=1)])

    for said in (*FACTS, QUESTION):
        session = new_session()
        assert_same(await served.run(said, session_id=session), await kernel.run(said, session_id=session))
        stored = [[record.content for record in await each.load(session)] for each in (ours, theirs)]
        assert stored == [[f"Q: {said}\nA: heard: {said}"]] * 2

    assert model.recalled == kernels_model.recalled == recalled_from(memory)
