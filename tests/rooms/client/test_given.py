"""Whatever is given to an agent's client, or to its worker, works or is refused at once with a sentence."""

import re
import uuid
from datetime import timedelta
from typing import Any, Final

import pytest
from spine_core import Agent, State
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client

from spine_temporal import AgentWorker, ContinuePolicy, DurableAgent, SpinePlugin, TemporalCheckpoint
from spine_temporal.errors import BadInput, RunNotFound
from tests.support.harness import ONLY_NORMAL, Durable

pytestmark = pytest.mark.durable

NO_TEXT: Final[list[Any]] = [None, 7, b"x", [], object()]
NO_NAME: Final[list[Any]] = [*NO_TEXT, "", "\ud800", "a\0b", "x" * 1001]
NO_TIME: Final[list[Any]] = [None, "5", -1, float("nan"), float("inf"), 1e13, True, timedelta(seconds=5), []]


def refusals(*options: tuple[str, list[Any]]) -> Any:
    cases = [(name, value) for name, values in options for value in values]
    ids = [f"{name}-{number}" for number, (name, _) in enumerate(cases)]
    return pytest.mark.parametrize(("option", "value"), cases, ids=ids)


@refusals(
    ("name", NO_NAME),
    ("task_queue", NO_NAME),
    ("workflow_id_prefix", [each for each in NO_NAME if each != ""]),
    ("session_ttl_s", NO_TIME),
    ("approval_timeout_s", [*[each for each in NO_TIME if each is not None], 0]),
    ("on_timeout", [*NO_TEXT, "aprove"]),
    ("step_policy", [{}, "x", 5]),
    ("tool_policy", [{"timeout_s": 5}, False]),
    ("tokens_every_s", [*NO_TIME, 0]),
    ("ui_text", [None, "no", 1]),
    ("tenant_id", [each for each in NO_NAME if each is not None]),
    ("priority", [None, 1, {"priority_key": 1}]),
)
async def test_an_agents_client_refuses_it(client: Client, option: str, value: Any) -> None:
    given: dict[str, Any] = {"name": "assistant", option: value}

    with pytest.raises(BadInput, match=rf"^(the agent's )?{option} "):
        DurableAgent(client=client, **given)


@refusals(
    ("task_queue", NO_NAME),
    ("step_policy", ["", [], "x", {"assistant": {"timeout_s": 5}}]),
    ("tool_policy", [5, {"assistant": None}]),
    ("continue_policy", ["", 0, {"events": 9}]),
    ("search_attributes", [0, "no", []]),
    ("allowed_plugins", ["spine-extras", [None], b"x"]),
    ("cache_bytes", [None, -1, "64", 1.5, float("inf"), True]),
    ("tools_only", [None, "no"]),
    ("longest_activity_s", [*[each for each in NO_TIME if each is not None], 0, 0.001]),
    ("longer_activities_task_queue", [each for each in NO_NAME if each is not None]),
    ("graceful_shutdown_s", NO_TIME),
    ("deployment_version", ["v1", {}]),
    ("telemetry", [None, True]),
)
async def test_a_worker_refuses_it(client: Client, option: str, value: Any) -> None:
    given: dict[str, Any] = {"task_queue": "q", option: value}

    with pytest.raises(BadInput, match=rf"^{option} "):
        AgentWorker(client, agents=[Agent(ScriptedProvider(), name="assistant")], **given)


@refusals(
    ("task_queue", NO_NAME),
    ("workflow_id_prefix", [each for each in NO_NAME if each != ""]),
    ("cache_bytes", [None, -1, "64", 1.5, True]),
)
async def test_a_checkpoint_store_refuses_it(option: str, value: Any) -> None:
    given: dict[str, Any] = {option: value}

    with pytest.raises(BadInput, match=rf"^{option} "):
        TemporalCheckpoint(**given)


@pytest.mark.parametrize("session_id", ["x" * 990, "\ud800", "a\0b"], ids=["long", "half", "NUL"])
async def test_a_session_that_no_server_can_hold_is_not_put_and_not_found(client: Client, session_id: str) -> None:
    store = TemporalCheckpoint(client)

    with pytest.raises(BadInput, match=r"^session_id "):
        await store.put(State(session_id=session_id))
    assert await store.get(session_id) is None


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        (None, "agents is None; it is a list of agents, or a dict of names to agents"),
        ("assistant", "agent 0 of the list is 'a'; it is an Agent; a team, or what makes an agent, is named in a dict"),
        ({"assistant": "model"}, "agent 'assistant' is 'model'; it is an Agent, a team, or a function that makes one"),
        ({7: Agent(ScriptedProvider())}, "an agent's name is 7; it is text, and not empty"),
    ],
    ids=["nothing", "text", "no agent", "no name"],
)
async def test_what_is_no_agent_is_refused(agents: Any, told: str) -> None:
    with pytest.raises(BadInput, match=f"^{re.escape(told)}$"):
        SpinePlugin(agents)


async def test_agents_may_come_in_any_order_of_things() -> None:
    agents: Any = {"a": Agent(ScriptedProvider(), name="a"), "b": Agent(ScriptedProvider(), name="b")}.values()

    assert SpinePlugin(agents, cache_bytes=0, continue_policy=ContinuePolicy()).agents.names == ["a", "b"]


@pytest.mark.parametrize("on_busy", [None, "wait", True, []], ids=repr)
@pytest.mark.parametrize("session_id", [None, "s"])
async def test_a_word_that_there_is_none_of_is_refused(client: Client, on_busy: Any, session_id: str | None) -> None:
    with pytest.raises(BadInput, match=r"^on_busy is .*; it is one of 'queue', 'reject'$"):
        await DurableAgent("assistant", client).start("go", session_id=session_id, on_busy=on_busy)


@ONLY_NORMAL
@pytest.mark.parametrize(
    "session_id", ["parent/1.0~0a1b2c3d", "a\0b", "\ud800", "x" * 1000, 1.5, b"x"], ids=lambda each: repr(each)[:9]
)
async def test_a_fork_is_named_as_any_session(durable: Durable, session_id: Any) -> None:
    served = durable(Agent(ScriptedProvider(text("one"), text("two"))))
    await served.run("go")

    with pytest.raises(BadInput, match="session"):
        await served.runs[0].fork(step=1, input="on", session_id=session_id)


@ONLY_NORMAL
@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"step": 1, "input": ""}, "the input of a fork is what the user says, '' says nothing; None goes on without"),
        ({"step": 1, "input": 7}, "the input of a fork is what the user says, 7 says nothing"),
        ({"step": -1}, "there is no step -1; steps count from 1"),
        ({"step": "1"}, "there is no step '1'; steps count from 1"),
        ({"step": 1.5}, r"there is no step 1\.5; steps count from 1"),
    ],
    ids=lambda each: str(each)[:25],
)
async def test_a_fork_from_nowhere_is_refused(durable: Durable, place: dict[str, Any], told: str) -> None:
    served = durable(Agent(ScriptedProvider(text("one"), text("two"))))
    await served.run("go")

    with pytest.raises(BadInput, match=told):
        await served.runs[0].fork(**place)


@pytest.mark.parametrize("id_", [None, "", "\ud800", "a\0b", 7, uuid.UUID(int=7)], ids=repr)
async def test_a_name_that_no_run_has_is_not_found(client: Client, id_: Any) -> None:
    run = DurableAgent("assistant", client).get_run(id_)

    for asked in (run.state, run.result, run.cancel, run.stop, run.pending):
        with pytest.raises(RunNotFound, match="no run"):
            await asked()
