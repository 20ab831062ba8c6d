"""The job all sides do: N times a short message and a tool result of S bytes, then an answer."""

from typing import Final

SYSTEM: Final = "You look things up, step by step, and answer when you have found enough. ".ljust(500, ".")
MESSAGE: Final = "The model says two hundred bytes, as models do before they call a tool. ".ljust(200, ".")
RESULT_BYTES: Final = 4096
INPUT_TOKENS: Final = 1200
OUTPUT_TOKENS: Final = 60


def question(steps: int, size: int) -> str:
    """What an agent is asked: its model reads off it how long to go on."""
    return f"{steps} steps of {size} bytes"


def asked(text: str) -> tuple[int, int]:
    """Steps and bytes of a question."""
    steps, size = (int(word) for word in text.split() if word.isdigit())
    return steps, size


def next_call(call_id: str | None, steps: int) -> str | None:
    """The id of the call after the one with `call_id`, None when the answer is due."""
    done = int((call_id or "call_0").removeprefix("call_"))
    return f"call_{done + 1}" if done < steps else None


def result(size: int) -> str:
    """What the tool returns."""
    return "A line of what a tool found, forty byte\n".ljust(40)[:40] * (size // 40) + "." * (size % 40)
