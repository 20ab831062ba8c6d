"""What a run records of its agent: the hook points it has, its guards, how long things may take."""

import functools
from typing import Any
from unittest.mock import AsyncMock

import pytest
from spine_core import Agent, Guards, Middleware, State, StepContext, ToolContext
from spine_core.testing import ScriptedProvider, text
from spine_middleware import LoopGuard, Retry, StructuredOutput

from spine_temporal.agents.spec import hooks_of, spec_of
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_request import AgentSpec


def agent_with(*middleware: Any, **options: Any) -> Agent:
    return Agent(ScriptedProvider(text("done")), middleware=[*middleware], **options)


class Plain(Middleware):
    """Overrides nothing."""


class Screening(Plain):
    async def after_tool(self, ctx: ToolContext) -> None: ...


class Heir(Screening):
    """Overrides nothing of its own."""


class Duck:
    async def on_run_end(self, state: State, result: object) -> None: ...

    on_run_start = None


class Static:
    @staticmethod
    async def before_model(ctx: StepContext) -> None: ...


class Lent(Middleware):
    before_model = Middleware.before_model


async def log(prefix: str, ctx: StepContext) -> None: ...


def holding(**attributes: Any) -> Any:
    """An object with hooks as attributes of its own."""
    holder = Middleware()
    for name, value in attributes.items():
        setattr(holder, name, value)
    return holder


@pytest.mark.parametrize(
    ("middleware", "hooks"),
    [
        ([], ()),
        ([Middleware()], ()),
        ([Plain()], ()),
        ([Lent()], ()),
        ([Screening()], ("after_tool",)),
        ([Heir()], ("after_tool",)),
        ([Duck()], ("on_run_end",)),
        ([Static()], ("before_model",)),
        ([holding(on_error=lambda ctx, error: None)], ("on_error",)),
        ([holding(before_tool=AsyncMock())], ("before_tool",)),
        ([holding(after_model=functools.partial(log, "after"))], ("after_model",)),
        ([holding(before_model=None)], ()),
        ([object()], ()),
        ([Duck(), Plain(), Screening(), Duck()], ("after_tool", "on_run_end")),
        ([LoopGuard(), Retry(), StructuredOutput(Guards)], ("after_model", "before_model", "on_error")),
    ],
)
def test_hook_points_are_those_that_some_middleware_implements(middleware: list[Any], hooks: tuple[str, ...]) -> None:
    assert hooks_of(agent_with(*middleware)) == hooks


def test_every_hook_point_of_the_kernel_is_known() -> None:
    points = [name for name in vars(Middleware) if not name.startswith("_")]

    assert hooks_of(agent_with(AsyncMock(spec=points))) == tuple(sorted(points))


def test_spec_holds_what_the_run_needs_of_the_agent() -> None:
    guards = Guards(max_steps=3, timeout_s=60.0)
    agent = agent_with(Screening(), guards=guards, system="be brief", tenant_id="t1", parallel_tools=True, name="other")

    spec = spec_of(
        "assistant", agent, step_policy=ActivityPolicy(attempts=3), tool_policy=ActivityPolicy(timeout_s=5.0)
    )

    assert spec == AgentSpec(
        agent="assistant",
        guards=guards,
        system="be brief",
        tenant_id="t1",
        parallel_tools=True,
        hooks=("after_tool",),
        step_policy=ActivityPolicy(attempts=3),
        tool_policy=ActivityPolicy(timeout_s=5.0),
    )
