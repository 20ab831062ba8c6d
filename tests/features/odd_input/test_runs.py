"""Whatever is sent to a run of an agent is refused with a sentence, or ignored; the session is unharmed."""

import uuid

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from tests.features.odd_input.payloads import GARBLED, ODD, sent
from tests.features.sessions.talk import new_session, parrot
from tests.support.harness import ONLY_NORMAL, Durable, Served

pytestmark = [pytest.mark.durable, ONLY_NORMAL]

TURNS = {
    "an empty input": [sent(b'{"input": ""}')],
    "an input that is none": [sent(b'{"input": 5}')],
    "an unknown field": [sent(b'{"input": "hello", "urgent": true}')],
    "an unknown word": [sent(b'{"input": "hello", "on_busy": "shout"}')],
}
DECISIONS = {
    "a decision without an answer": [sent(b'{"call": "1.0"}')],
    "an unknown field": [sent(b'{"call": "1.0", "answer": true, "urgent": true}')],
    "a call that is none": [sent(b'{"call": 1.0, "answer": true}')],
    "an answer that is no number": [sent(b'{"call": "1.0", "answer": NaN}')],
    "a huge answer": [sent(b'{"call": "1.0", "answer": 1' + b"0" * 400 + b"}")],
    "a decision on nothing": [sent(b'{"answer": 1e308}')],
    "arguments that are none": [sent(b'{"call": "1.0", "decision": {"arguments": [1]}}')],
}
STOPS = {
    "an unknown field": [sent(b'{"turn": 1, "why": "enough"}')],
    "a turn that is none": [sent(b'{"turn": "first"}')],
    "a huge turn": [sent(b'{"turn": 1' + b"0" * 400 + b"}")],
    "a turn before all": [sent(b'{"turn": -1}')],
    "infinitely late": [sent(b'{"turn": Infinity}')],
}
CHILDREN = {
    "a call that is none": [sent(b'{"position": "one.two", "status": "idle", "number": 1}')],
    "a call before all": [sent(b'{"position": "-1.-1", "status": "idle", "number": 1}')],
    "a huge call": [sent(b'{"position": "1' + b"0" * 5000 + b'.0", "status": "idle", "number": 1}')],
    "digits of another script": [sent('{"position": "².٣", "status": "idle", "number": 1}'.encode())],
    "a call that is over": [sent(b'{"position": "1.0", "status": "paused", "number": 7, "interrupt": 1e308}')],
    "a huge number": [sent(b'{"position": "1.0", "status": "idle", "number": 1' + b"0" * 400 + b"}")],
    "an end of nothing": [sent(b'{"position": "9.9", "status": "idle", "number": 1, "outcome": {"reason": "final"}}')],
    "an end for no reason": [sent(b'{"position": "1.0", "status": "idle", "number": 1, "outcome": {"reason": "?"}}')],
    "a cost that is no number": [
        sent(
            b'{"position": "1.0", "status": "idle", "number": 1, "outcome": {"reason": "final", '
            b'"usage": {"cost_usd": NaN}}}'
        )
    ],
}


@pytest.fixture
async def session(durable: Durable) -> tuple[Served, str]:
    """One that is open, and has called a tool."""
    served, session = durable(parrot()), new_session()
    await served.run("add 1 2", session_id=session)
    return served, session


async def assert_unharmed(served: Served, session: str) -> None:
    assert (await served.run("hello", session_id=session)).answer == "heard hello"
    assert await failed_tasks(handle_of(served, session)) == []
    await served.get_run(session).stop()


async def failed_tasks(handle: WorkflowHandle[object, object]) -> list[str]:
    return [
        event.workflow_task_failed_event_attributes.failure.message
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]


def handle_of(served: Served, session: str) -> WorkflowHandle[object, object]:
    run = served.get_run(session)
    return run._client.get_workflow_handle(run.workflow_id)


@pytest.mark.parametrize(
    ("update", "forms"),
    [(names.TURN_UPDATE, TURNS), (names.DECIDE_UPDATE, DECISIONS), ("spine.nonsense", {"a form": [sent(b"{}")]})],
)
async def test_an_update_that_cannot_be_read_is_refused_with_a_sentence(
    session: tuple[Served, str], update: str, forms: dict[str, list[RawValue]]
) -> None:
    handle = handle_of(*session)
    for what, values in (ODD | GARBLED | forms).items():
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(update, args=values, result_type=RawValue)
        assert isinstance(refused.value.cause, ApplicationError), what
        assert refused.value.cause.type in (names.BAD_REQUEST, names.DECISION_REFUSED), (what, refused.value.cause)
        assert refused.value.cause.message, what
        assert refused.value.cause.non_retryable, what

    await assert_unharmed(*session)


@pytest.mark.parametrize(
    ("signal", "forms"),
    [
        (names.STOP_TURN_SIGNAL, STOPS),
        (names.CHILD_SIGNAL, CHILDREN),
        ("spine.nonsense", {"a form": [sent(b"{}")]}),
        (names.TURN_UPDATE, {"a form": [sent(b'{"input": "hello"}')]}),
    ],
)
async def test_a_signal_that_cannot_be_read_is_ignored(
    session: tuple[Served, str], signal: str, forms: dict[str, list[RawValue]]
) -> None:
    handle = handle_of(*session)
    for values in (ODD | GARBLED | forms).values():
        await handle.signal(signal, args=values)

    await assert_unharmed(*session)


async def test_a_report_of_the_end_may_be_asked_for_with_anything(session: tuple[Served, str]) -> None:
    handle = handle_of(*session)
    for values in (ODD | GARBLED).values():
        await handle.signal(names.REPORT_END_SIGNAL, args=values)

    await assert_unharmed(*session)


@pytest.mark.parametrize("values", (ODD | GARBLED).values(), ids=ODD | GARBLED)
async def test_a_stop_closes_an_idle_session_whatever_comes_with_it(
    session: tuple[Served, str], values: list[RawValue]
) -> None:
    handle = handle_of(*session)
    await handle.signal(names.STOP_SIGNAL, args=values)

    await handle.result()
    assert await failed_tasks(handle) == []


REQUESTS = {
    "an agent alone": [sent(b'{"agent": "agent"}')],
    "an agent that is none": [sent(b'{"agent": 5, "input": "hello"}')],
    "a time that is no number": [sent(b'{"agent": "agent", "input": "hello", "session_ttl_s": NaN}')],
    "an infinite time": [sent(b'{"agent": "agent", "input": "hello", "session_ttl_s": Infinity}')],
    "a long time": [sent(b'{"agent": "agent", "input": "hello", "session_ttl_s": 1e308}')],
    "a time before all": [sent(b'{"agent": "agent", "input": "hello", "session_ttl_s": -1}')],
    "a depth that is none": [sent(b'{"agent": "agent", "input": "hello", "depth": "deep"}')],
}
STARTS = ODD | GARBLED | REQUESTS
# It may be another worker's codec that can decode it.
del STARTS["another encoding"]


@pytest.mark.parametrize("values", STARTS.values(), ids=STARTS)
async def test_a_start_that_cannot_be_read_fails_the_run_with_a_sentence(
    durable: Durable, values: list[RawValue]
) -> None:
    served = durable(parrot())
    await served.up()
    handle = await durable.client.start_workflow(
        names.AGENT_WORKFLOW, args=values, id=uuid.uuid4().hex, task_queue=served.task_queue
    )

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == names.BAD_REQUEST
    assert await failed_tasks(handle) == []
