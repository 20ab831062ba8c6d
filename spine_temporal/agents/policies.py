"""Whose policy an agent's runs are opened with."""

from collections.abc import Collection, Mapping

from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.errors import UnknownAgent
from spine_temporal.given import check_type

type Policies = ActivityPolicy | Mapping[str, ActivityPolicy]
"""One for all agents of a worker, or one for each, by name."""


def policy_for(name: str, policies: Policies) -> ActivityPolicy:
    """The policy of the agent of that name. Whom nobody names has that of the agent or team it belongs to, if any."""
    if isinstance(policies, ActivityPolicy):
        return policies
    while name not in policies and "/" in name:
        name = name.rpartition("/")[0]
    return policies.get(name, ActivityPolicy())


def checked(what: str, policies: Policies | None, agents: Collection[str]) -> Policies:
    """What a worker with these agents was given; None: the defaults.

    Raises:
        UnknownAgent: a policy is for an agent that the worker does not have.
        BadInput: it is no policy, nor a mapping of names to policies.
    """
    if policies is None:
        return ActivityPolicy()
    check_type(what, policies, ActivityPolicy | Mapping, "an ActivityPolicy, or a dict of an agent's name to one")
    if not isinstance(policies, ActivityPolicy):
        for name, policy in policies.items():
            if name not in agents and not any(name.startswith(f"{each}/") for each in agents):
                raise UnknownAgent(f"no agent {name!r} for this policy; this worker has: {', '.join(sorted(agents))}")
            check_type(f"{what} of {name!r}", policy, ActivityPolicy, "an ActivityPolicy")
    return policies
