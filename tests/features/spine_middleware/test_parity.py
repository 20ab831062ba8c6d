"""Each of spine's middleware gives durably what it gives on the kernel."""

import pytest
import spine_middleware
from spine_core.testing import calls, text
from spine_middleware import Recorder, Replayer

from tests.features.sessions.talk import new_session
from tests.features.spine_middleware.scenes import (
    FORKS,
    NOTE,
    OTTER,
    PAY,
    Case,
    Scene,
    assert_same_scenes,
    on_the_kernel,
)
from tests.features.spine_middleware.table import CASES, OTHERWISE
from tests.support.harness import ONLY_NORMAL, Durable

ROWS = CASES | OTHERWISE


def test_table_has_all_of_spines_middleware() -> None:
    assert list(CASES) == sorted(spine_middleware.__all__)
    assert [type(case.make()).__name__ for case in CASES.values()] == list(CASES)


@FORKS
@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS)
async def test_middleware_makes_a_difference_to_its_script(case: Case) -> None:
    scene, without = await on_the_kernel(case, case), await on_the_kernel(case)

    assert scene.results[-1].stopped_reason is case.reason
    assert (scene.effects, scene.shown) != (without.effects, [case.shown(case.make())])


@FORKS
@ONLY_NORMAL
@pytest.mark.durable
@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS)
async def test_durable_run_has_the_kernels_result(durable: Durable, case: Case) -> None:
    scene = Scene(case, [case])
    served, session = durable(scene.agent), new_session() if case.one_session else None
    await scene.play(lambda input_: served.run(input_, session_id=session))

    assert_same_scenes(scene, await on_the_kernel(case, case))


@ONLY_NORMAL
@pytest.mark.durable
async def test_recording_of_either_is_replayed_by_either(durable: Durable) -> None:
    live = Case(Recorder, (calls(OTTER, PAY, content="let me see"), calls(NOTE), text("done")))
    recorded, on_kernel = Scene(live, [live]), await on_the_kernel(live, live)
    await recorded.play(durable(recorded.agent).run)
    recording = recorded.middleware[0].recording()
    assert recording == on_kernel.middleware[0].recording()

    tape = Case(lambda: Replayer(recording), (text("never"),))
    replayed = Scene(tape, [tape])
    await replayed.play(durable(replayed.agent).run)

    assert_same_scenes(replayed, await on_the_kernel(tape, tape))
    assert (replayed.model.asked, replayed.ran) == ([], [])
    assert replayed.results[0].state.messages == on_kernel.results[0].state.messages
    assert replayed.results[0].usage == on_kernel.results[0].usage
