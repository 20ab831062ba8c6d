"""Whose policy an agent's runs are opened with."""

from collections.abc import Collection, Mapping

from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.errors import UnknownAgent

type Policies = ActivityPolicy | Mapping[str, ActivityPolicy]
"""One for all agents of a worker, or one for each, by name."""


def policy_for(name: str, policies: Policies) -> ActivityPolicy:
    """The policy of the agent of that name. Whom nobody names has that of the agent or team it belongs to, if any."""
    if isinstance(policies, ActivityPolicy):
        return policies
    while name not in policies and "/" in name:
        name = name.rpartition("/")[0]
    return policies.get(name, ActivityPolicy())


def checked(policies: Policies | None, agents: Collection[str]) -> Policies:
    """What a worker with these agents was given; None: the defaults.

    Raises:
        UnknownAgent: a policy is for an agent that the worker does not have.
    """
    if policies is None:
        return ActivityPolicy()
    if not isinstance(policies, ActivityPolicy):
        for name in policies:
            if name not in agents and not any(name.startswith(f"{each}/") for each in agents):
                raise UnknownAgent(f"no agent {name!r} for this policy; this worker has: {', '.join(sorted(agents))}")
    return policies
