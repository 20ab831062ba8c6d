"""What a tool says of its calls in durable runs."""

from typing import Any

import pytest
from spine_core import tool

from spine_temporal import ActivityPolicy, durable
from spine_temporal.agents.durable_options import approval_of, is_local, policy_of
from spine_temporal.errors import BadInput

WORKERS = ActivityPolicy(timeout_s=60.0, attempts=3)


def test_what_a_tool_says_goes_before_the_workers_policy() -> None:
    @tool
    @durable(heartbeat_s=30, attempts=1, at_most_once=True)
    async def crunch() -> str:
        """Crunch."""
        return "done"

    own = policy_of(crunch, WORKERS)

    assert own == ActivityPolicy(timeout_s=60.0, heartbeat_s=30.0, attempts=1, at_most_once=True)


def test_a_tool_that_says_nothing_of_it_has_the_workers_policy() -> None:
    @durable(approval_timeout_s=60)
    @tool
    async def crunch() -> str:
        """Crunch."""
        return "done"

    assert policy_of(crunch, WORKERS) is None
    approval = approval_of(crunch)
    assert approval is not None
    assert approval.timeout_s == 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"timeout_s": 4e-7}, "timeout_s is 4e-07: value error, a time limit is 0.01 s at least"),
        ({"heartbeat_s": 0.001}, "heartbeat_s is 0.001"),
        ({"timeout_s": float("inf")}, "timeout_s is inf"),
        ({"heartbeat_s": float("nan")}, "heartbeat_s is nan"),
        ({"heartbeat_s": 1e308}, "heartbeat_s is 1e+308"),
        ({"heartbeat_s": "soon"}, "heartbeat_s is 'soon'"),
        ({"attempts": 0}, "attempts is 0"),
        ({"attempts": 1.5}, "attempts is 1.5"),
        ({"retry_first_s": -1}, "retry_first_s is -1"),
        ({"at_most_once": "yes"}, "at_most_once is 'yes'"),
        ({"approval_timeout_s": float("inf")}, "approval_timeout_s is inf"),
        ({"approval_timeout_s": True}, "approval_timeout_s is True"),
        ({"on_timeout": "shrug"}, "on_timeout is 'shrug'"),
    ],
)
def test_what_cannot_hold_is_an_error_when_it_is_written(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        durable(**options)

    assert message in str(refused.value)


def test_a_misspelt_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="heartbeat"):
        durable(heartbeat=3)  # type: ignore[call-arg]


def test_options_are_the_functions_and_not_two_tools_at_once() -> None:
    async def send(to: str) -> str:
        """Send."""
        return to

    once = durable(at_most_once=True)(tool(name="send_once")(send))

    with pytest.raises(BadInput, match="send has other options of @durable already, for the tool 'send_once'"):
        durable(local=True)(tool(name="send_quick")(send))
    assert policy_of(once, WORKERS) == WORKERS.model_copy(update={"at_most_once": True})
    # The same again is no contradiction: a factory may say it each time.
    durable(at_most_once=True)(tool(name="send_too")(send))


def test_options_of_a_tool_can_be_said_anew() -> None:
    @durable(local=True)
    @tool
    async def look() -> str:
        """Look."""
        return "an otter"

    durable(task_queue="elsewhere")(look)

    own = policy_of(look, WORKERS)
    assert own is not None
    assert (own.task_queue, is_local(look)) == ("elsewhere", False)


def test_a_method_has_options_too() -> None:
    class Shop:
        async def stock(self, item: str) -> str:
            """Look."""
            return item

    stock = durable(attempts=2)(tool(Shop().stock))

    own = policy_of(stock, WORKERS)
    assert own is not None
    assert own.attempts == 2


def test_what_cannot_hold_options_is_refused() -> None:
    with pytest.raises(BadInput, match="len cannot hold the options"):
        durable(attempts=2)(len)
