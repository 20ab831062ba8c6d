"""What a worker answers when a run asks what its agent is."""

from dataclasses import dataclass, field
from typing import Any

from spine_core import Agent, Guards
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.activities.search_attributes import Attributes
from spine_temporal.agents.longest import Lifetime, within
from spine_temporal.agents.policies import Policies, policy_for
from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.agents.spec import narrowed, spec_of
from spine_temporal.agents.teams import members_of, plan_of
from spine_temporal.connection.payload_limit import excess, payload_limit
from spine_temporal.contracts import names
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.run_request import AgentSpec, RunRequest, SpecInput
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.errors import AgentBroken, AgentUnavailable, UnknownAgent
from spine_temporal.journal.ledger import Ledger
from spine_temporal.plugins.usage import serving
from spine_temporal.telemetry.options import Telemetry


@dataclass(slots=True)
class Specs:
    """The specs of the agents in a registry, with the versions that they are made of."""

    agents: AgentRegistry
    step_policy: Policies
    tool_policy: Policies
    continuing: ContinuePolicy
    attributes: Attributes
    telemetry: Telemetry
    lifetime: Lifetime | None = None
    """Of this worker; None: it lives for ever."""
    _serving: dict[str, dict[str, str]] = field(default_factory=dict)

    async def of(self, asked: RunRequest | SpecInput) -> AgentSpec:
        """What the agent of a run is by now.

        Raises:
            ApplicationError: there is none of that name, or it cannot be built, or it is too large to be recorded.
        """
        spec = await self._made(asked)
        found = await excess(dump(spec), activity.client())
        if found is not None:
            why = (
                f"what a run records of agent {spec.agent!r} has {found[0]:,} bytes, of which its system prompt has "
                f"{len(spec.system or ''):,} characters; a Temporal payload holds {found[1]:,} here"
            )
            raise _refused(AgentBroken(why), names.AGENT_BROKEN)
        return spec

    async def _made(self, asked: RunRequest | SpecInput) -> AgentSpec:
        name = asked.agent
        try:
            agent = await self.agents.find(name)
        except UnknownAgent as error:
            raise _refused(error, names.UNKNOWN_AGENT) from None
        except AgentUnavailable as error:
            # Without the chain: the causes may have in them what was masked in this text.
            raise ApplicationError(
                readable(str(error)), type=names.AGENT_BROKEN, category=ApplicationErrorCategory.BENIGN
            ) from None
        except AgentBroken as error:
            raise _refused(error, names.AGENT_BROKEN) from None
        common: dict[str, Any] = {
            "continuing": self.continuing,
            "search_attributes": await self.attributes.there(activity.client),
            "payload_bytes": await payload_limit(activity.client()),
            "traced": self.telemetry.enabled,
        }
        if isinstance(agent, Agent):
            spec = spec_of(
                name,
                agent,
                step_policy=within(policy_for(name, self.step_policy).overridden(asked.step_policy), self.lifetime),
                tool_policy=within(policy_for(name, self.tool_policy).overridden(asked.tool_policy), self.lifetime),
            )
            common |= {"guards": narrowed(spec.guards, asked.budget), "plugins": self._versions(name, agent)}
            if asked.tenant_id is not None:
                common["tenant_id"] = asked.tenant_id
            return spec.model_copy(update=common)
        members = {each: self.agents.durable_name(one, f"{name}/{each}") for each, one in members_of(agent).items()}
        return AgentSpec(agent=name, guards=Guards(), team=plan_of(agent, members), **common)

    def with_versions[Outcome: (StepOutcome, ToolOutcome)](
        self, outcome: Outcome, agent: Agent, ledger: Ledger
    ) -> Outcome:
        """The outcome, with the versions that made it if the run knows of others."""
        made_with = self._versions(ledger.spec.agent, agent)
        return outcome if made_with == ledger.plugins else outcome.model_copy(update={"plugins": made_with})

    def _versions(self, name: str, agent: Agent) -> dict[str, str]:
        if name not in self._serving:
            self._serving[name] = serving(agent)
        return self._serving[name]


def _refused(error: Exception, type_: str) -> ApplicationError:
    # Benign: the caller gets it; the worker's log need not show where in our code.
    return ApplicationError(
        readable(str(error)), type=type_, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )
