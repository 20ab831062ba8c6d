"""Bad input gets a clear error at once and loses nothing."""

import asyncio
import uuid
from typing import Any

import pytest
from spine_core import Agent, Guards, State, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client import pollers as presence
from spine_temporal.contracts import names
from spine_temporal.errors import (
    AgentBroken,
    BadInput,
    DuplicateAgent,
    InputTooLarge,
    NotAnAgentRun,
    RunNotFound,
    UnknownAgent,
    UnnamedAgent,
)
from tests.support.agents_at_hand import adding_agent
from tests.support.harness import Durable
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_an_unknown_agent_is_answered_with_the_ones_there_are(client: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[adding_agent(), adding_agent("triage")], task_queue=queue):
        with pytest.raises(UnknownAgent, match=r"^no agent 'asistant'; this worker has: assistant, triage$"):
            await DurableAgent("asistant", client, task_queue=queue).run("go")


async def test_an_agent_whose_factory_fails_says_why(client: Client) -> None:
    def factory() -> Agent:
        raise RuntimeError("no such database")

    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents={"broken": factory}, task_queue=queue):
        with pytest.raises(AgentBroken, match="'broken' raised RuntimeError: no such database"):
            await DurableAgent("broken", client, task_queue=queue).run("go")


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e308, "60", True], ids=repr)
async def test_a_time_that_is_none_is_refused_at_once(client: Client, seconds: Any) -> None:
    with pytest.raises(BadInput, match="session_ttl_s is"):
        DurableAgent("assistant", client, session_ttl_s=seconds)
    with pytest.raises(BadInput, match="approval_timeout_s is"):
        DurableAgent("assistant", client, approval_timeout_s=seconds)


async def test_a_worker_refuses_agents_that_nobody_could_call(client: Client) -> None:
    with pytest.raises(UnnamedAgent, match="agent 1 of the list has no name"):
        AgentWorker(client, agents=[adding_agent(), adding_agent(name=None)])
    with pytest.raises(DuplicateAgent, match="two agents are named 'assistant'"):
        AgentWorker(client, agents=[adding_agent(), adding_agent()])


async def test_a_worker_refuses_guards_it_could_not_check(client: Client) -> None:
    class OfficeHours(Guards):
        def check(self, state: State, elapsed_s: float) -> StopReason | None:
            return StopReason.TIMEOUT

    agent = Agent(ScriptedProvider(text("x")), name="clerk", guards=OfficeHours())
    with pytest.raises(AgentBroken, match="'clerk' has guards of class OfficeHours"):
        AgentWorker(client, agents=[agent])


@pytest.mark.parametrize("nothing", ["", "  \n", "\n" * 100_000], ids=["nothing", "blanks", "many"])
async def test_an_empty_input_starts_nothing(client: Client, nothing: str) -> None:
    with pytest.raises(BadInput, match=r"^.{1,120} says nothing$"):
        await DurableAgent("assistant", client).start(nothing)


async def test_an_input_over_the_size_limit_starts_nothing(client: Client) -> None:
    with pytest.raises(InputTooLarge, match=r"the input has 3,000,\d\d\d bytes as it is sent"):
        await DurableAgent("assistant", client).start("x" * 3_000_000)


async def test_a_run_that_does_not_exist_is_not_found(client: Client) -> None:
    run = DurableAgent("assistant", client).get_run("nowhere")
    for asked in (run.result, run.state, run.stop, run.cancel):
        with pytest.raises(RunNotFound, match="no run 'spine-nowhere' in namespace 'default'"):
            await asked()


@workflow.defn(name="payroll", sandboxed=False)
class Payroll:
    @workflow.run
    async def run(self) -> None: ...


async def test_a_workflow_of_another_type_is_no_run(client: Client) -> None:
    queue = uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[Payroll]):
        await client.execute_workflow("payroll", id="spine-payroll", task_queue=queue)

    with pytest.raises(NotAnAgentRun, match="workflow 'spine-payroll' is a 'payroll', not a run of an agent"):
        await DurableAgent("assistant", client).get_run("payroll").result()


async def test_nobody_waits_for_a_workflow_of_another_type(client: Client) -> None:
    id_ = uuid.uuid4().hex
    handle = await client.start_workflow("payroll", id=f"spine-{id_}", task_queue="nobody-polls")

    with pytest.raises(NotAnAgentRun, match=f"workflow 'spine-{id_}' is a 'payroll', not a run of an agent"):
        await asyncio.wait_for(DurableAgent("assistant", client).get_run(id_).result(), 60)

    await handle.terminate()


async def test_run_tells_when_nobody_polls_the_task_queue(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_LOOK_AFTER_S", 0.0)
    queue = f"lonely-{uuid.uuid4().hex}"

    waiting = asyncio.create_task(DurableAgent("assistant", client, task_queue=queue).run("go"))
    await until(lambda: f"no worker polls task queue '{queue}'" in caplog.text, "the warning")
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        result = await waiting

    assert result.answer == "3"


async def test_a_request_written_by_hand_may_be_wrong_and_the_run_says_how(durable: Durable) -> None:
    served = durable(adding_agent())
    await served.up()
    for request in ({"agent": "agent"}, "hello", None):
        with pytest.raises(WorkflowFailureError) as failed:
            await durable.client.execute_workflow(
                names.AGENT_WORKFLOW, request, id=uuid.uuid4().hex, task_queue=served.task_queue
            )
        assert 'a run of an agent is started with one argument, {"agent": "...", "input": "..."}' in str(
            failed.value.cause
        )


async def test_a_request_written_by_hand_needs_an_agent_and_an_input_only(durable: Durable) -> None:
    served = durable(adding_agent())
    await served.up()
    by_hand = uuid.uuid4().hex

    outcome = await durable.client.execute_workflow(
        names.AGENT_WORKFLOW, {"agent": "agent", "input": "go"}, id=by_hand, task_queue=served.task_queue
    )

    assert outcome == {
        "reason": "final",
        "answer": "3",
        "step": 2,
        "usage": {"input_tokens": 20, "output_tokens": 10},
        "unpriced_tokens": 30,
        "session_id": by_hand,
    }


async def test_a_tool_result_over_the_size_limit_is_told_to_the_model(durable: Durable) -> None:
    started = []

    @tool
    async def dump() -> str:
        """Return too much."""
        started.append(1)
        return "x" * 3_000_000

    result = await durable(Agent(ScriptedProvider(calls(("dump", {})), text("sorry")), tools=[dump])).run("go")

    assert result.answer == "sorry"
    assert "the outcome has 3,000,0" in str(result.state.messages[-2].content)
    assert started == [1]


async def test_a_model_answer_over_the_size_limit_ends_the_run(durable: Durable) -> None:
    result = await durable(Agent(ScriptedProvider(text("x" * 3_000_000)))).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "a Temporal payload holds 2,000,000" in str(result.error)
