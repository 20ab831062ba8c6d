"""Times each model call: what `before_model` leaves in `ctx.extra`, `after_model` finds there."""

import time

from spine_core import Middleware, StepContext, register_middleware

__all__ = ["Stopwatch"]


class Stopwatch(Middleware):
    """Counts the calls under `key` in the State's scratch; one that took longer than `slow_s` counts as slow, too."""

    def __init__(self, *, key: str = "stopwatch", slow_s: float = 3600.0) -> None:
        self.key = key
        self.slow_s = slow_s

    async def before_model(self, ctx: StepContext) -> None:
        ctx.extra[self.key] = time.perf_counter()

    async def after_model(self, ctx: StepContext) -> None:
        took_s = time.perf_counter() - ctx.extra[self.key]
        timed = ctx.state.scratch.setdefault(self.key, {"calls": 0, "slow": 0})
        timed["calls"] += 1
        timed["slow"] += took_s > self.slow_s


register_middleware("Stopwatch", Stopwatch)
