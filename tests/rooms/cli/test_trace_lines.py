"""What a person who follows a run is told."""

from typing import Any

from spine_core import TraceEvent

from spine_temporal.cli.trace_lines import Line, TraceLines


def event(type_: str, ts: float, **data: Any) -> TraceEvent:
    return TraceEvent(seq=0, type=type_, step=1, ts=ts, data=data)


def test_a_step_is_a_line_for_the_model_and_one_for_each_tool() -> None:
    events = [
        event("step_start", 1.0),
        event("model_call", 3.0, messages=2),
        event("model_response", 3.0, tool_calls=["look", "look", "pay"]),
        event("tool_call", 3.0, tool="look", arguments={"at": "a"}),
        event("tool_result", 4.5, tool="look", result="\n  two\tlines\nin all"),
    ]

    assert tell(TraceLines(), events) == [
        Line(1, "model", "asks for look (2 times), pay", 2.0),
        Line(1, "look(at='a')", "two lines", 1.5),
    ]


def test_tools_side_by_side_are_printed_as_they_end() -> None:
    narrator = TraceLines()
    tell(narrator, [event("tool_call", 0.0, tool="a", arguments={}), event("tool_call", 0.0, tool="b", arguments={})])
    assert narrator.doing == "step 1 · a() and 1 more"

    assert tell(narrator, [event("tool_result", 2.0, tool="b", result="x")]) == [Line(1, "b()", "x", 2.0)]
    assert narrator.doing == "step 1 · a()"
    assert tell(narrator, [event("tool_result", 3.0, tool="a", result="y")]) == [Line(1, "a()", "y", 3.0)]


def test_two_calls_of_one_tool_with_the_same_arguments_are_two_lines() -> None:
    narrator = TraceLines()
    call, result = event("tool_call", 0.0, tool="a", arguments={}), event("tool_result", 1.0, tool="a", result="x")

    assert tell(narrator, [call, call, result, result]) == [Line(1, "a()", "x", 1.0), Line(1, "a()", "x", 1.0)]


def test_a_call_whose_start_comes_with_its_result_has_no_duration() -> None:
    told = tell(
        TraceLines(), [event("tool_call", 5.0, tool="a", arguments={}), event("tool_result", 5.0, tool="a", result="x")]
    )

    assert [line.took_s for line in told] == [None]


def test_what_went_wrong_stands_out() -> None:
    told = tell(
        TraceLines(),
        [
            event("error", 1.0, error="429\nslow down", action="retry"),
            event("tool_result", 1.0, tool="nope", error="unknown_tool"),
            event("tool_result", 1.0, tool="pay", result="Error executing tool 'pay': no money"),
            event("guard_trip", 2.0, reason="max_steps"),
        ],
    )

    assert [(line.what, line.outcome, line.bad) for line in told] == [
        ("model", "429 → retry", True),
        ("nope", "unknown_tool", True),
        ("pay", "Error executing tool 'pay': no money", True),
        ("stopped", "max_steps", True),
    ]


def test_tokens_are_counted_not_repeated() -> None:
    narrator = TraceLines()

    assert tell(narrator, [event("step_start", 0.0), event("token", 0.5, delta="Hello"), event("token", 1.0)]) == []
    assert narrator.doing == "step 1 · 5 characters so far"


def tell(narrator: TraceLines, events: list[TraceEvent]) -> list[Line]:
    return [line for each in events if (line := narrator.add(each))]


def test_names_that_a_model_made_up_command_nothing() -> None:
    evil = "\x1b[31mred\nerror: fake"
    narrator = TraceLines()

    told = tell(
        narrator,
        [
            event("model_response", 1.0, tool_calls=[evil]),
            event("tool_call", 1.0, tool=evil, arguments={evil: evil}),
            event("tool_result", 2.0, tool="\x1b[2J", result=evil),
            event("guard_trip", 2.0, reason=evil),
        ],
    )

    texts = [narrator.doing, *(text for line in told for text in (line.what, line.outcome))]
    assert all(text.isprintable() for text in texts), texts
    assert told[0].outcome == "asks for \N{REPLACEMENT CHARACTER}[31mred error: fake"
