"""One tool call: the model reads what came of it, whatever that is."""

from typing import Any

import pytest
from spine_core import Agent, Interrupt, Message, State, StopReason, StopRun, ToolCall, ToolContext, tool
from spine_core.testing import ScriptedProvider, text

from spine_temporal.activities.resumption import Resumption
from spine_temporal.activities.tool_call import ToolRun
from spine_temporal.contracts.approval import ApprovalRequest
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal.digest import digest_of


@tool
async def find(what: str = "otters") -> str:
    """Find something, or fail."""
    if what == "human":
        raise Interrupt({"ask": "which?"})
    if what == "nothing":
        raise LookupError("no such thing")
    return f"12 {what}"


class Hooks:
    """A middleware made of the hooks it is given."""

    def __init__(self, **hooks: Any) -> None:
        for name, hook in hooks.items():
            setattr(self, name, hook)


async def outcome_of(name: str = "find", arguments: dict[str, Any] | None = None, **hooks: Any) -> ToolOutcome:
    call = ToolCall(id="call_0", name=name, arguments=arguments or {})
    before = State(session_id="s1", messages=[Message.user("go"), Message.assistant(None, [call])])
    was = before.model_dump_json()
    agent = Agent(ScriptedProvider(text("done")), tools=[find], middleware=[Hooks(**hooks)])
    run = ToolRun(agent, before, call, 0)
    await run.run()
    assert before.model_dump_json() == was
    return run.outcome("a")


@pytest.mark.parametrize(
    ("name", "arguments", "outcome"),
    [
        ("find", {}, {"content": "12 otters", "called": True}),
        ("find", {"what": "seals"}, {"content": "12 seals", "called": True}),
        ("nowhere", {}, {"content": "Error: unknown tool 'nowhere'", "known": False}),
        ("find", {"what": "nothing"}, {"content": "Error executing tool 'find': no such thing", "called": True}),
        (
            "find",
            {"what": "human"},
            {
                "called": True,
                "asks": ApprovalRequest(
                    mode="manual",
                    payload={"ask": "which?"},
                    arguments={"what": "human"},
                    digest=digest_of({"what": "human"}),
                ),
            },
        ),
    ],
    ids=["default", "arguments", "unknown", "raises", "interrupts"],
)
async def test_model_reads_the_kernels_words(name: str, arguments: dict[str, Any], outcome: dict[str, Any]) -> None:
    assert await outcome_of(name, arguments) == ToolOutcome(id="a", **outcome)


async def test_what_a_hook_makes_of_a_persons_arguments_stays_in_this_attempt() -> None:
    call = ToolCall(id="call_0", name="file", arguments={"where": {"folders": ["in"]}})
    given = {"where": {"folders": ["out"]}}

    @tool
    async def file(where: dict[str, list[str]]) -> str:
        """File it."""
        return "/".join(where["folders"])

    async def before_tool(context: ToolContext) -> None:
        context.args["where"]["folders"].append("drawer")

    agent = Agent(ScriptedProvider(text("done")), tools=[file], middleware=[Hooks(before_tool=before_tool)])
    before = State(session_id="s1", messages=[Message.user("go"), Message.assistant(None, [call])])
    run = ToolRun(agent, before, call, 0, resumption=Resumption("approved", arguments=given))

    await run.run()

    assert run.outcome("a").content == "out/drawer"
    assert given == {"where": {"folders": ["out"]}}


async def test_arguments_that_do_not_fit_are_an_error_that_the_model_reads() -> None:
    outcome = await outcome_of(arguments={"what": [1]})

    assert outcome.content.startswith("Error executing tool 'find': invalid arguments for tool 'find'")


async def test_result_that_a_hook_presets_runs_no_tool() -> None:
    async def preset(ctx: ToolContext) -> None:
        ctx.skip, ctx.result = True, {"cached": [1]}

    assert await outcome_of(before_tool=preset) == ToolOutcome(id="a", content='{"cached": [1]}')


async def test_arguments_that_a_hook_changed_are_written() -> None:
    async def other(ctx: ToolContext) -> None:
        ctx.args = {"what": "seals"}

    outcome = await outcome_of(before_tool=other)

    assert (outcome.content, outcome.arguments) == ("12 seals", {"what": "seals"})


@pytest.mark.parametrize("hook", ["before_tool", "after_tool"])
async def test_hook_that_raises_ends_the_run_with_its_name(hook: str) -> None:
    async def broken(_: ToolContext) -> None:
        raise KeyError("otters")

    outcome = await outcome_of("find", {}, **{hook: broken})

    assert outcome.ending == Ending(reason=StopReason.ERROR, error=f"{hook} raised KeyError: 'otters'")
    assert outcome.called == (hook == "after_tool")


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (StopReason.GUARDRAIL, Ending(reason=StopReason.GUARDRAIL, answer="not this", event="guard_trip")),
        (StopReason.ERROR, Ending(reason=StopReason.ERROR, error="not this", event="guard_trip")),
    ],
)
async def test_hook_may_stop_the_run(reason: StopReason, ending: Ending) -> None:
    async def stop(_: ToolContext) -> None:
        raise StopRun(reason, "not this")

    assert (await outcome_of(after_tool=stop)).ending == ending


async def test_hook_that_rewrites_the_call_rewrites_the_conversation() -> None:
    async def rewrite(ctx: ToolContext) -> None:
        ctx.call.arguments["what"] = "redacted"

    outcome = await outcome_of(arguments={"what": "secret"}, after_tool=rewrite)

    assert outcome.content == "12 secret"
    assert [edited.tool_calls[0].arguments for edited in (*outcome.delta.edits.values(), *outcome.delta.messages)] == [
        {"what": "redacted"}
    ]
