"""Times, sizes and texts in few characters."""

import json

import pytest

from spine_temporal import format as wording


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-0.1, "0 ms"),
        (0.0304, "30 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7_800, "2 h 10 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (7300, "2 h ago")]
)
def test_times_past_are_whole_units(seconds: float, said: str) -> None:
    assert wording.ago(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(-3, "now"), (0.9, "now"), (59.9, "in 59 s"), (7300, "in 2 h")])
def test_times_to_come_are_whole_units(seconds: float, said: str) -> None:
    assert wording.ahead(seconds) == said


def test_what_is_too_long_for_a_line_is_cut() -> None:
    assert wording.shortened("pay(to='acme',\n  note='\x07')", 100) == "pay(to='acme', note='\ufffd')"
    assert wording.shortened("pay(amount=5)", 8) == "pay(amo…"


@pytest.mark.parametrize(("count", "said"), [(999, "999 B"), (12_340, "12.3 KB"), (1_200_000, "1.2 MB")])
def test_sizes(count: int, said: str) -> None:
    assert wording.size(count) == said


def test_what_a_tool_read_cannot_command_the_terminal() -> None:
    assert wording.first_line("\x1b]0;owned\x07 fine\n") == "\ufffd]0;owned\ufffd fine"


def test_counts_agree_with_their_noun() -> None:
    assert (wording.many(1, "step"), wording.many(1_204, "token")) == ("1 step", "1,204 tokens")


def test_a_price_is_told_when_there_is_one() -> None:
    assert (wording.spent(10, 0.0), wording.spent(10, 0.0312)) == ("10 tokens", "10 tokens · $0.0312")


@pytest.mark.parametrize(
    "text", ["step 3 · gpt-4o-mini", "grep(pattern=…)", "", "x" * 3000, "🦦" * 300, '"\\' * 99, "\0" * 99]
)
def test_a_summary_is_as_short_as_any_server_takes_it(text: str) -> None:
    made = wording.summary(text)

    assert len(json.dumps(made)) <= 200
    assert made == text or (made.endswith("…") and len(made) > 10)
