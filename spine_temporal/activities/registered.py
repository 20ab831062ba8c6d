"""The activities that a worker registers."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from spine_core import Agent, StopReason, Tool
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.activities.attempt import Attempt, activity_attempt, run_with_attempts
from spine_temporal.activities.encoding import written_as_it_is
from spine_temporal.activities.failures import passing
from spine_temporal.activities.ledger_cache import LedgerCache, RevisionNotFound, RunKey
from spine_temporal.activities.live_calls import goes_through_the_message
from spine_temporal.activities.local_attempt import run_once
from spine_temporal.activities.mirror import mirror
from spine_temporal.activities.outcome_json import random_id, recorded, written
from spine_temporal.activities.reporting import reported
from spine_temporal.activities.restore import restore
from spine_temporal.activities.restored_parts import RestoredParts
from spine_temporal.activities.resumption import resumption
from spine_temporal.activities.run_end import end_run
from spine_temporal.activities.search_attributes import Attributes
from spine_temporal.activities.shared_messages import SharedMessages
from spine_temporal.activities.specs import Specs
from spine_temporal.activities.step import Step
from spine_temporal.activities.subagent import look_at_subagent
from spine_temporal.activities.tool_call import ToolRun, sees_messages
from spine_temporal.activities.writing import tell
from spine_temporal.agents.longest import Lifetime
from spine_temporal.agents.policies import Policies
from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.agents.subagents import RemoteAgent, agent_behind
from spine_temporal.connection.worker_converter import worker_client
from spine_temporal.contracts import names
from spine_temporal.contracts.continuation import Restored, RestoreInput
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome, Mirrored, MirrorInput
from spine_temporal.contracts.run_request import OpenInput, SpecInput
from spine_temporal.contracts.segment import SegmentInput, SegmentRecorded
from spine_temporal.contracts.step import ModelError, StepInput, StepOutcome
from spine_temporal.contracts.subagent import SubagentLook
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.history.catch_up import catch_up
from spine_temporal.history.folded import fold_to, fold_turn
from spine_temporal.journal.apply import apply
from spine_temporal.journal.counters import advance
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.payloads import pack, pack_bytes, unpack
from spine_temporal.telemetry.at_work import end_watched, watched
from spine_temporal.telemetry.metrics import Metrics
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.telemetry.segment_spans import SegmentSpans


class AgentActivities:
    """The activities of the agents in one registry, with the cache they share."""

    def __init__(
        self,
        agents: AgentRegistry,
        *,
        step_policy: Policies,
        tool_policy: Policies,
        continuing: ContinuePolicy,
        search_attributes: bool | None,
        telemetry: Telemetry,
        cache_bytes: int,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._agents, self._restored = agents, RestoredParts()
        self._telemetry, self._segments = telemetry, SegmentSpans(telemetry)
        attributes = Attributes(known=search_attributes)
        self._specs = Specs(agents, step_policy, tool_policy, continuing, attributes, telemetry, lifetime)
        self.metrics = Metrics()
        """Of the worker that these are registered with, which sets it."""
        self.grace_s = 0.0
        """What is in flight when that worker stops gets so long to finish."""
        self.cache = LedgerCache(
            _folded, _caught_up, max_bytes=cache_bytes, looked_up=lambda *found: self.metrics.lookup(*found)
        )

    @property
    def all(self) -> Sequence[Callable[..., Any]]:
        """What to register, each under its name in `contracts.names`."""
        rare = [self.restore, self.subagent, self.end, self.mirror, self.segment]
        return [self.open, self.spec, self.step, self.tool, *rare]

    @activity.defn(name=names.OPEN_ACTIVITY)
    async def open(self, value: RawValue) -> RawValue:
        """Answer what the agent is. Local: it is recorded as one event, its input not at all."""
        opening, id_ = unpack(OpenInput, value), activity.info().activity_id
        request = opening.request
        spec = await self._specs.of(request)
        requested = Requested(request, request.session_id or _run()[0], chain=opening.chain)
        opened = Opened(id_, spec, input=request.input, restoring=request.origin is not None)
        self.cache.begin(_run(), [requested, opened])
        return pack(spec)

    @activity.defn(name=names.SPEC_ACTIVITY)
    async def spec(self, value: RawValue) -> RawValue:
        """Answer what the agent is by now. Local, too."""
        return pack(await self._specs.of(unpack(SpecInput, value)))

    @reported(names.RESTORE_ACTIVITY)
    async def restore(self, value: RawValue) -> RawValue:
        """Fetch the conversation that the run goes on with, or a part of it."""
        task = unpack(RestoreInput, value)

        async def work(_: Attempt) -> Restored:
            if (kept := self._restored.kept(_run(), random_id(), task)) is not None:
                return kept
            agent = None if task.same else await self._agents.find(task.agent)
            ledger = self.cache.kept_for(task) or await restore(_client(), agent, task, _run()[1])
            return self._restored.of(ledger, _run(), random_id(), task) if ledger else Restored(id=random_id())

        def lost(why: str) -> Restored:
            raise ApplicationError(
                f"the conversation cannot go on: {why}", type=names.CONVERSATION_LOST, non_retryable=True
            )

        return await run_with_attempts(task.policy, work, lost, written_as_it_is)

    @reported(names.SUBAGENT_ACTIVITY)
    async def subagent(self, value: RawValue) -> RawValue:
        """Look whether a subagent is over; a worker waits for none."""
        async with activity_attempt():
            return pack(await look_at_subagent(_client(), unpack(SubagentLook, value)))

    @reported(names.STEP_ACTIVITY)
    async def step(self, value: RawValue) -> RawValue:
        """Ask the model once."""
        task, run = unpack(StepInput, value), _run()

        async def work(attempt: Attempt) -> StepOutcome:
            ledger = await self.cache.at(run, task.revision, task.order)
            spec = ledger.spec
            agent = await self._agents.get(spec.agent)
            elapsed_s, working = (lambda: task.elapsed_s + attempt.elapsed_s()), self.cache.lend(run)
            step = Step(
                agent, ledger.state, task, elapsed_s, spec.guards, spec.tool_policy, spec.payload_bytes, working
            )
            step.lifetime = self._specs.lifetime
            if task.tokens_every_s is not None:
                step.write = functools.partial(tell, attempt, task.tokens_every_s)
            with watched(self._telemetry, self.metrics, agent, ledger, step=task.step):
                await step.take()
            if step.cause is not None and attempt.has_another(task.policy) and passing(step.cause, task.policy):
                self.metrics.retry(spec.agent)
                raise step.cause
            outcome = self._specs.with_versions(recorded(step, random_id(), lost), agent, ledger)
            self.cache.give_back(run, working)
            return outcome

        def lost(why: str) -> StepOutcome:
            failed = ModelError(error=why, action="fail")
            return StepOutcome(id=random_id(), ending=Ending(reason=StopReason.ERROR, error=why), errors=[failed])

        return await self._reported(task, work, lost, lambda outcome: [StepBegun(task), StepDone(outcome)])

    @reported(names.TOOL_ACTIVITY)
    async def tool(self, value: RawValue) -> RawValue:
        """Run one tool call."""
        task, run = unpack(ToolInput, value), _run()

        async def work(attempt: Attempt) -> ToolOutcome:
            ledger = await self.cache.at(run, task.revision, task.order)
            spec, goes_on = ledger.spec, resumption(ledger, task)
            agent = await self._agents.get(spec.agent)
            call = ToolRun(
                agent,
                ledger.state,
                ledger.calls[task.index].call,
                task.index,
                calls=[each.call for each in ledger.calls] if goes_through_the_message(ledger, goes_on) else (),
                tool_policy=spec.tool_policy,
                payload_bytes=spec.payload_bytes,
                refused=ledger.refusal(task.index),
                lifetime=self._specs.lifetime,
                resumption=goes_on,
                first=task.first,
                place=f"{run[0]}/{ledger.chain}/{task.step}.{task.index}",
                working=self.cache.lend(run) if sees_messages(agent) else SharedMessages(),
                now_s=attempt.now_s,
                passes=lambda error: task.policy.is_retried(error) and attempt.has_another(task.policy),
                delegates=lambda tool: self._delegate(spec.agent, tool),
            )
            with watched(self._telemetry, self.metrics, agent, ledger, step=task.step, index=task.index):
                await call.run()
            outcome = self._specs.with_versions(recorded(call, random_id(), lost), agent, ledger)
            self.cache.give_back(run, call.working)
            return outcome

        def lost(why: str) -> ToolOutcome:
            return ToolOutcome(id=random_id(), content=f"Error executing tool '{task.name}': {why}", called=True)

        if activity.info().is_local:
            once = run_once(task.policy, work, lost, lambda outcome: written(outcome, lost), grace_s=self.grace_s)
            outcome, data = await once
            self.cache.record(run, task.revision, [ToolDone(task.step, task.index, outcome, local=True)])
            return pack_bytes(data)

        def entries(outcome: ToolOutcome) -> list[Entry]:
            return [ToolBegun(task), ToolDone(task.step, task.index, outcome)]

        return await self._reported(task, work, lost, entries)

    @reported(names.END_ACTIVITY)
    async def end(self, value: RawValue) -> RawValue:
        """Run the `on_run_end` hooks."""
        task = unpack(EndInput, value)

        async def work(_: Attempt) -> EndOutcome:
            ended = advance(task.revision, EndBegun(task).id)
            folded = await fold_turn(_client(), _run(), ended)
            ledger, began_s = folded.ordered.found, folded.segment_began_s
            if ledger is None:
                raise RevisionNotFound(f"the history does not lead to revision {ended!r}, where the run ends")
            agent = await self._agents.get(ledger.spec.agent)
            async with end_watched(self._telemetry, agent, ledger, began_s, first=task.first):
                return await end_run(agent, ledger, folded.segment_trace(), task, random_id())

        def lost(why: str) -> EndOutcome:
            return EndOutcome(id=random_id(), error=why)

        _, data = await run_with_attempts(task.policy, work, lost, lambda outcome: written(outcome, lost))
        return pack_bytes(data)

    @reported(names.MIRROR_ACTIVITY)
    async def mirror(self, value: RawValue) -> RawValue:
        """Write the turn's State to the agent's own checkpoint backend."""
        task = unpack(MirrorInput, value)

        async def work(_: Attempt) -> Mirrored:
            ledger, _events = apply(await self.cache.at(_run(), task.revision), Closed(task.ending))
            agent = await self._agents.get(ledger.spec.agent)
            await mirror(agent.checkpoint, ledger.state)
            return Mirrored()

        return await run_with_attempts(task.policy, work, lambda why: Mirrored(error=why), written_as_it_is)

    @activity.defn(name=names.SEGMENT_ACTIVITY)
    async def segment(self, value: RawValue) -> RawValue:
        """Record the span of the agent's work up to here. Local, too."""
        task = unpack(SegmentInput, value)
        agent = await self._agents.find(task.agent)
        self._segments.record(task, agent.provider if isinstance(agent, Agent) else None)
        return pack(SegmentRecorded())

    async def _reported[Outcome: (StepOutcome, ToolOutcome)](
        self,
        task: StepInput | ToolInput,
        work: Callable[[Attempt], Awaitable[Outcome]],
        lost: Callable[[str], Outcome],
        entries: Callable[[Outcome], list[Entry]],
    ) -> RawValue:
        outcome, data = await run_with_attempts(task.policy, work, lost, lambda outcome: written(outcome, lost))
        # What the cache holds must be what the fold will read: the outcome as its JSON has it.
        self.cache.record(_run(), task.revision, entries(outcome))
        return pack_bytes(data)

    def _delegate(self, owner: str, tool: Tool) -> tuple[str, int, str | None] | None:
        remote = agent_behind(tool)
        if isinstance(remote, RemoteAgent) and remote.namespace == activity.info().namespace:
            return remote.name, remote.max_depth, remote.task_queue
        found = self._agents.delegate(owner, tool)
        return (*found, None) if found is not None else None


async def _folded(run: RunKey, revision: str) -> Ledger | None:
    return await fold_to(_client(), run, revision)


async def _caught_up(run: RunKey, ledger: Ledger, revision: str) -> Ledger | None:
    return await catch_up(_client(), run, ledger, revision)


def _client() -> Client:
    return worker_client(activity.client())


def _run() -> RunKey:
    info = activity.info()
    return str(info.workflow_id), str(info.workflow_run_id)
