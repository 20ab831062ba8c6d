"""Spine's middleware stacked three deep, in varied order, gives durably what it gives on the kernel."""

from collections import Counter
from itertools import permutations
from typing import Final

import pytest

from tests.features.sessions.talk import new_session
from tests.features.spine_middleware.scenes import FORKS, Scene, assert_same_scenes, on_the_kernel
from tests.features.spine_middleware.table import CASES
from tests.support.harness import ONLY_NORMAL, Durable

type Stack = tuple[str, str, str]

NAMES: Final = list(CASES)
# How far, around the table, the second and the third stand from the first. The distances between any two of the three,
# of all seven, are all that there are: so every middleware stands before and behind every other one.
SHIFTS: Final = ((1, 3), (4, 9), (6, 14), (7, 17), (13, 11), (16, 15), (12, 9))


def stack(first: int, second: int, third: int) -> Stack:
    names = [NAMES[(first + shift) % len(NAMES)] for shift in (0, second, third)]
    return names[0], names[1], names[2]


STACKS: Final = [stack(first, *shifts) for shifts in SHIFTS for first in range(len(NAMES))]


# On a real server a part of them: the step goes round the table, so that each middleware is outermost at least once.
DURABLY: Final = list(enumerate(STACKS))[::5]


def test_stacks_have_every_middleware_in_every_place_and_in_every_order_with_every_other() -> None:
    for place in range(3):
        assert Counter(stack[place] for stack in STACKS) == dict.fromkeys(NAMES, len(SHIFTS))
    around = {(stack[outer], stack[inner]) for stack in STACKS for outer, inner in ((0, 1), (1, 2), (0, 2))}
    assert around == set(permutations(NAMES, 2))
    assert {names[0] for _, names in DURABLY} == set(NAMES)


@FORKS
@ONLY_NORMAL
@pytest.mark.durable
@pytest.mark.parametrize(("place", "names"), DURABLY, ids=str)
async def test_durable_run_has_the_kernels_result(durable: Durable, place: int, names: Stack) -> None:
    cases = [CASES[name] for name in names]
    script = cases[place % 3]
    scene = Scene(script, cases)
    served, session = durable(scene.agent), new_session() if script.one_session else None
    await scene.play(lambda input_: served.run(input_, session_id=session))

    assert_same_scenes(scene, await on_the_kernel(script, *cases))
