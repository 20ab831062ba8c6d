"""A turn that is asked to stop asks its subagents to, and misses nothing that happens meanwhile."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.tool_calls import Call, Calls, Event, Phase, Subagent
from spine_temporal.workflow import turn as room
from spine_temporal.workflow.turn import Turn


def delegated(number: int) -> Call:
    """A call with an agent that works on it."""
    agent = Subagent(Delegation(agent="helper", input=""), workflow_id=f"child {number}")
    return Call(PlannedCall(id=f"call_{number}", name="ask"), Phase.DELEGATED, subagent=agent)


class Held:
    """Stands for a session whose first subagent ends while a later one is being asked to stop."""

    def __init__(self) -> None:
        self.changes = 0
        self.stopped: list[str] = []
        self.progress = Progress(calls=Calls(1, (delegated(0), delegated(1), delegated(2))), stop_requested=True)

    async def stop(self, _: Any, position: Position) -> None:
        self.stopped.append(str(position))
        calls = self.progress.calls
        assert calls is not None
        if position.index == 0:
            ended = calls.items[1].moved(Event.FINISH)
            self.progress = Progress(calls=calls.with_call(1, ended), stop_requested=True)
            self.changes += 1


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held()

    async def wait_condition(condition: Callable[[], bool], timeout: float | None, timeout_summary: str) -> None:
        assert condition(), "it waits for a change that has come already"

    monkeypatch.setattr(room, "workflow", SimpleNamespace(wait_condition=wait_condition, time=lambda: 0.0))
    monkeypatch.setattr(room, "stop_subagent", held.stop)
    monkeypatch.setattr(room, "is_due", lambda _: False)
    monkeypatch.setattr(Turn, "_attend_subagents", lambda _: None)
    return held


async def test_turn_wakes_for_what_came_while_its_subagents_were_asked_to_stop(held: Held) -> None:
    await Turn(held)._change()  # type: ignore[arg-type]

    assert held.changes == 1


async def test_subagent_that_has_ended_meanwhile_is_not_asked_to_stop(held: Held) -> None:
    await Turn(held)._change()  # type: ignore[arg-type]

    assert held.stopped == ["1.0", "1.2"]
