"""What a run records of its agent."""

from typing import Any, Final

from spine_core import Agent, Guards, InMemoryCheckpointStore, Middleware

from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_request import AgentSpec, Budget
from spine_temporal.plugins.model_name import model_of

_HOOK_POINTS: Final = (
    "after_model",
    "after_tool",
    "before_model",
    "before_tool",
    "on_error",
    "on_run_end",
    "on_run_start",
)
HOLDS_RUNS: Final = "holds_durable_runs"
"""Attribute of a checkpoint store that finds durable runs by itself: nothing has to be written there."""


def spec_of(name: str, agent: Agent, *, step_policy: ActivityPolicy, tool_policy: ActivityPolicy) -> AgentSpec:
    """The spec that a run of `agent`, known to its worker as `name`, is opened with."""
    remembers = not isinstance(agent.checkpoint, InMemoryCheckpointStore)
    return AgentSpec(
        agent=name,
        guards=agent.guards,
        # As the history will hold them: the worker's cache must know the same.
        system=_readable(agent.system),
        tenant_id=_readable(agent.tenant_id),
        model=model_of(agent.provider),
        parallel_tools=agent.parallel_tools,
        hooks=hooks_of(agent),
        step_policy=step_policy,
        tool_policy=tool_policy,
        remembers=remembers,
        mirrored=remembers and not getattr(agent.checkpoint, HOLDS_RUNS, False),
    )


def _readable(text: str | None) -> str | None:
    return text if text is None else readable(text)


def narrowed(guards: Guards, budget: Budget | None) -> Guards:
    """The agent's limits, or what those above it have left if that is less."""
    if budget is None:
        return guards
    return guards.model_copy(
        update={
            "max_cost_usd": _least(guards.max_cost_usd, budget.cost_usd),
            "max_tokens": _least(guards.max_tokens, budget.tokens),
        }
    )


def hooks_of(agent: Agent) -> tuple[str, ...]:
    """The hook points that any middleware of `agent` implements; `spine_core.Middleware`'s own no-ops do not count."""
    middlewares = agent.chain.middlewares
    if not middlewares:
        return ()
    return tuple(point for point in _HOOK_POINTS if any(_implements(each, point) for each in middlewares))


def _implements(middleware: Any, point: str) -> bool:
    hook = getattr(middleware, point, None)
    return hook is not None and getattr(hook, "__func__", hook) is not getattr(Middleware, point)


def _least[N: (int, float)](one: N | None, other: N | None) -> N | None:
    return min((each for each in (one, other) if each is not None), default=None)
