"""The agents whose workers are killed at every boundary; each tool call leaves a line in a file."""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

from spine_core import Agent, Guards, Tool, tool
from temporalio import activity

from spine_temporal import durable, idempotency_key
from tests.faults.agents import Effects
from tests.faults.effects import LOCAL
from tests.features.teams.crews import Boss

BEAT_S: Final = 1.0
_BEATS: Final = 3
# Far more than a run takes, far less than a wrong clock is off.
_LIMIT_S: Final = 900.0


def matrix_agents(folder: Path) -> list[Agent]:
    """One for each kind of run."""
    effects = Effects(folder)
    work, ask = _work(effects), _gated(effects)
    inner = Agent(Boss([("work", {"n": 8})]), tools=[work], name="inner")
    return [
        Agent(Boss([_call(0)], [_call(1)]), tools=[work], name="single", system="work"),
        Agent(Boss([_call(n) for n in range(3)], [_call(3)]), tools=[work], name="parallel", parallel_tools=True),
        Agent(Boss([("ask", {"n": 0}), ("ask", {"n": 1}), _call(2)]), tools=[work, ask], name="gated"),
        Agent(Boss([("inner", {"input": "go"}), _call(9)]), tools=[work, inner.as_tool()], name="delegating"),
        Agent(Boss([("beat", {"n": 0})]), tools=[_beating(effects)], name="beating"),
        Agent(
            Boss([("clock", {"n": 0})], [_call(1)]),
            tools=[_clock(folder, effects), work],
            name="timed",
            guards=Guards(timeout_s=_LIMIT_S),
        ),
        Agent(Boss([("pay", {"n": 0})]), tools=[_once(effects)], name="once"),
        Agent(
            Boss([("look", {"n": n}) for n in range(2)], [("look", {"n": 2}), _call(3)]),
            name="local",
            tools=[_local(effects), work],
        ),
    ]


def _call(n: int) -> tuple[str, dict[str, Any]]:
    return "work", {"n": n}


def _note(effects: Effects, n: int) -> str:
    info = activity.info()
    attempt = LOCAL if info.is_local else info.attempt
    effects.note(f"effect {n} {idempotency_key()} {attempt} {info.activity_id}")
    return f"did {n}"


def _work(effects: Effects) -> Tool:
    @tool
    async def work(n: int) -> str:
        """Work."""
        return _note(effects, n)

    assert isinstance(work, Tool)
    return work


def _local(effects: Effects) -> Tool:
    @durable(local=True)
    @tool
    async def look(n: int) -> str:
        """Look, within the workflow task."""
        return _note(effects, n)

    assert isinstance(look, Tool)
    return look


def _clock(folder: Path, effects: Effects) -> Tool:
    @tool
    async def clock(n: int) -> str:
        """Write down what time it is on this worker."""
        (folder / "clock").write_text(str(time.time()))
        return _note(effects, n)

    assert isinstance(clock, Tool)
    return clock


def _gated(effects: Effects) -> Tool:
    @tool(approve=True)
    def ask(n: int) -> str:
        """Work, if somebody allows it."""
        return _note(effects, n)

    assert isinstance(ask, Tool)
    return ask


def _beating(effects: Effects) -> Tool:
    @tool
    @durable(heartbeat_s=BEAT_S)
    async def beat(n: int) -> str:
        """Take some heartbeats' time."""
        done = _note(effects, n)
        # A worker beats five times in that time; this is what the tool is about.
        await asyncio.sleep(BEAT_S / 5 * (_BEATS + 0.5))
        return done

    assert isinstance(beat, Tool)
    return beat


def _once(effects: Effects) -> Tool:
    @tool
    @durable(at_most_once=True)
    async def pay(n: int) -> str:
        """Pay, at most once."""
        return _note(effects, n)

    assert isinstance(pay, Tool)
    return pay
