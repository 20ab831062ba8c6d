"""One trace per turn across client, workflow, activities, agents below, workers and crashes; no span doubled."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.contracts import span_names
from spine_temporal.contracts.policies import ContinuePolicy
from tests.features.telemetry import processes
from tests.support.harness import histories_of, replay
from tests.support.processes import Fleet, Forked
from tests.support.services.otlp import Receiver
from tests.support.waiting import until

pytestmark = pytest.mark.durable
NO_CACHES: dict[str, Any] = {"max_cached_workflows": 0, "cache_bytes": 0}


class Traced(Fleet):
    """Workers that export their spans, and programs that ask them for something."""

    main: ClassVar[ModuleType] = processes

    def __init__(self, client: Client, folder: Path, receiver: Receiver) -> None:
        self.client = client
        self.address = client.service_client.config.target_host
        self.receiver = receiver
        super().__init__(self.address, f"telemetry-{uuid.uuid4().hex}", folder, url=receiver.url, **NO_CACHES)

    def with_options(self, **options: Any) -> None:
        self._options = {**self._options, **options}

    def agent(self, name: str) -> DurableAgent:
        return DurableAgent(name, self.client, task_queue=self.task_queue)

    async def ask(self, agent: str, session_id: str) -> None:
        await self._run(processes.ask, self.address, self.task_queue, self.receiver.url, agent, session_id)

    async def fork(self, session_id: str) -> None:
        await self._run(processes.fork, self.address, self.task_queue, self.receiver.url, session_id)

    async def decide(self, session_id: str) -> None:
        await self._run(processes.decide, self.address, self.receiver.url, session_id)

    async def _run(self, program: Callable[..., None], *arguments: str) -> None:
        process = Forked(program, *arguments)
        assert await asyncio.to_thread(process.wait, 100) == 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def fleet(client: Client, tmp_path: Path, receiver: Receiver) -> Iterator[Traced]:
    with Traced(client, tmp_path, receiver) as fleet:
        yield fleet


def assert_one_tree(receiver: Receiver) -> None:
    spans = receiver.spans
    assert len({span.span_id for span in spans}) == len(spans), "a span came twice"
    assert len({span.trace_id for span in spans}) == 1
    ids = {span.span_id for span in spans}
    assert [span.name for span in spans if span.parent_id and span.parent_id not in ids] == [], "a parent is lost"


async def test_trace_of_a_run_whose_worker_is_killed_lacks_only_the_span_that_was_open(
    fleet: Traced, receiver: Receiver
) -> None:
    session_id = uuid.uuid4().hex
    await fleet.ask("counter", session_id)
    await fleet.kill_at("tool-1")
    fleet.start()

    run = fleet.agent("counter").get_run(session_id)
    await run.result()
    await until(lambda: receiver.named("invoke_agent counter"), "the agent's own span")

    assert_one_tree(receiver)
    caller, start, root = (receiver.one(n) for n in ("the caller", "spine.start counter", "invoke_agent counter"))
    assert (caller.parent_id, start.parent_id, root.parent_id) == ("", caller.span_id, start.span_id)
    below = [span for span in receiver.spans if span.parent_id == root.span_id]
    assert sorted(span.name for span in below) == ["chat"] * 4 + ["execute_tool count"] * 3
    assert {
        span.attributes["spine.call"]: span.attributes["spine.attempt"] for span in receiver.named("execute_tool count")
    } == {"1.0": 1, "2.0": 2, "3.0": 1}
    assert root.began_ns <= min(span.began_ns for span in below)
    assert root.ended_ns >= max(span.ended_ns for span in below)
    assert (root.attributes["spine.steps"], root.attributes["spine.stop_reason"]) == (4, "final")
    for history in await histories_of(fleet.client, run):
        await replay(history)


async def test_run_that_nobody_traces_at_the_client_is_a_trace_of_its_own(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()
    for _ in range(2):
        await fleet.agent("helper").run("look")
    await until(lambda: len(receiver.named("invoke_agent helper")) == 2, "the agents' own spans")

    assert len({span.trace_id for span in receiver.spans}) == 2
    assert [span.parent_id for span in receiver.named("invoke_agent helper")] == ["", ""]
    tool_ids = {span.span_id for span in receiver.named("execute_tool look")}
    assert {span.parent_id for span in receiver.named("inside the tool")} == tool_ids


async def test_agent_that_works_for_another_is_below_its_call(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()

    await fleet.agent("boss").run("go")
    await until(lambda: receiver.named("invoke_agent boss"), "the agent's own span")

    assert_one_tree(receiver)
    assert receiver.one("invoke_agent helper").parent_id == receiver.one("execute_tool helper").span_id
    assert receiver.one("execute_tool helper").parent_id == receiver.one("invoke_agent boss").span_id


async def test_a_run_that_continues_as_new_is_one_trace(fleet: Traced, receiver: Receiver) -> None:
    fleet.with_options(continue_policy=ContinuePolicy(events=1))
    fleet.start()
    session_id = uuid.uuid4().hex
    await fleet.ask("helper", session_id)
    run = fleet.agent("helper").get_run(session_id)
    await run.result()
    await until(lambda: receiver.named("invoke_agent helper"), "the agent's own span")

    assert_one_tree(receiver)
    below = [span for span in receiver.spans if span.parent_id == receiver.one("invoke_agent helper").span_id]
    assert sorted(span.name for span in below) == ["chat otter-1", "chat otter-1", "execute_tool look"]
    assert len({span.attributes["temporalRunID"] for span in below}) > 1


async def test_fork_is_in_the_trace_of_whoever_forks(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()
    session_id = uuid.uuid4().hex
    await fleet.agent("helper").run("look", session_id=session_id)
    await until(lambda: receiver.named("invoke_agent helper"), "the first run's span")
    await fleet.fork(session_id)
    await until(lambda: len(receiver.named("invoke_agent helper")) == 2, "the fork's span")

    caller, start = receiver.one("the caller"), receiver.one("spine.start helper")
    forked = receiver.named("invoke_agent helper")[1]
    assert (start.parent_id, forked.parent_id) == (caller.span_id, start.span_id)
    assert forked.trace_id == caller.trace_id != receiver.named("invoke_agent helper")[0].trace_id


async def test_a_call_of_a_local_tool_has_its_span(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()

    await fleet.agent("quick").run("go")
    await until(lambda: receiver.named("invoke_agent quick"), "the agent's own span")

    assert_one_tree(receiver)
    assert receiver.one("execute_tool glance").parent_id == receiver.one("invoke_agent quick").span_id


async def test_the_members_of_a_team_are_in_its_trace(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()
    session_id = uuid.uuid4().hex
    await fleet.ask("line", session_id)
    await fleet.agent("line").get_run(session_id).result()
    await until(lambda: receiver.named("invoke_agent line"), "the team's own span")

    assert_one_tree(receiver)
    team = receiver.one("invoke_agent line")
    for member in ("line/1", "line/2"):
        assert receiver.one(f"invoke_agent {member}").parent_id == team.span_id


async def test_work_that_was_approved_links_to_the_decision_and_nothing_is_open_meanwhile(
    fleet: Traced, receiver: Receiver
) -> None:
    session_id = uuid.uuid4().hex
    fleet.start()
    await fleet.ask("payer", session_id)
    run = fleet.agent("payer").get_run(session_id)
    assert (await run.result()).interrupted
    await until(lambda: receiver.named("invoke_agent payer"), "the span of the work before the pause")

    await fleet.decide(session_id)
    await until(lambda: len(receiver.named("invoke_agent payer")) == 2, "the span of the work after the pause")

    decided = receiver.one("spine.decide pay")
    paid = receiver.one("execute_tool pay")
    before, after = sorted(receiver.named("invoke_agent payer"), key=lambda span: span.began_ns)
    assert paid.links == [decided.span_id]
    assert decided.links == [before.span_id]
    assert decided.trace_id != paid.trace_id == before.trace_id == after.trace_id
    assert before.ended_ns <= decided.began_ns <= after.began_ns
    assert paid.parent_id == after.span_id
    assert (before.attributes["spine.stop_reason"], after.attributes["spine.stop_reason"]) == ("interrupt", "final")
    assert (before.attributes["gen_ai.usage.input_tokens"], after.attributes["gen_ai.usage.input_tokens"]) == (10, 10)


async def test_each_attempt_that_asked_the_model_has_its_span(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()

    await fleet.agent("moody").run("go")
    await until(lambda: receiver.named("invoke_agent moody"), "the agent's own span")

    first, second = sorted(receiver.named("chat otter-1"), key=lambda span: span.began_ns)
    assert (first.attributes["spine.attempt"], second.attributes["spine.attempt"]) == (1, 2)
    assert (first.attributes["error.type"], first.status) == ("ConnectionError", 2)
    assert "error.type" not in second.attributes


async def test_spans_bear_the_names_of_the_conventions_and_no_content(fleet: Traced, receiver: Receiver) -> None:
    fleet.start()

    result = await fleet.agent("helper").run(processes.SECRET)
    await fleet.agent("moody").run(processes.SECRET)
    await until(lambda: receiver.named("invoke_agent moody"), "the agent's own span")

    session_id, workflow_id = result.state.session_id, f"spine-{result.state.session_id}"
    chat = next(span for span in receiver.named("chat otter-1") if span.attributes["spine.step"] == 1)
    run_id = chat.attributes.pop("temporalRunID")
    common = {
        "gen_ai.agent.name": "helper",
        "gen_ai.conversation.id": session_id,
        "temporalWorkflowID": workflow_id,
        "spine.turn": 1,
    }
    at = {"temporalRunID": run_id, "spine.step": 1, "spine.attempt": 1}
    spent = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2, "spine.cost_usd": 0.5}
    asked = {"gen_ai.provider.name": "scripted", "gen_ai.request.model": "otter-1"}
    assert chat.attributes | {"temporalRunID": run_id} == common | at | spent | asked | {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.finish_reasons": ["tool_calls"],
    }
    assert receiver.one("execute_tool look").attributes == common | at | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.id": "c0",
        "gen_ai.tool.type": "function",
        "spine.call": "1.0",
    }
    assert receiver.one("invoke_agent helper").attributes == common | asked | {
        "temporalRunID": run_id,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 4,
        "spine.cost_usd": 1.0,
        "spine.steps": 2,
        "spine.stop_reason": "final",
    }
    ours = [span for span in receiver.spans if span.name != "inside the tool"]
    assert {span.schema_url for span in ours} == {span_names.SCHEMA_URL} == {"https://opentelemetry.io/schemas/1.41.0"}
    assert not [body for body in receiver.bodies if processes.SECRET.encode() in body]


async def test_content_is_there_when_it_is_asked_for(fleet: Traced, receiver: Receiver) -> None:
    fleet.with_options(content=True)
    fleet.start()

    await fleet.agent("helper").run("how many otters?")
    await until(lambda: receiver.named("invoke_agent helper"), "the agent's own span")

    first, last = sorted(receiver.named("chat otter-1"), key=lambda span: span.began_ns)
    assert '"content":"how many otters?"' in first.attributes["gen_ai.input.messages"]
    assert '"type":"tool_call"' in first.attributes["gen_ai.output.messages"]
    assert '"type":"tool_call_response"' in last.attributes["gen_ai.input.messages"]
    looked = receiver.one("execute_tool look").attributes
    assert looked["gen_ai.tool.call.arguments"] == f'{{"input":"{processes.SECRET} please"}}'
    assert looked["gen_ai.tool.call.result"] == f"seen {processes.SECRET}"
