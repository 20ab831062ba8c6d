"""What a ledger is taken for is what it takes of memory, whatever its texts are made of."""

import gc
import json
import tracemalloc
from collections.abc import Callable

import pytest
from spine_core import Message, State

from spine_temporal.activities.ledger_size import memory_bytes
from spine_temporal.journal.ledger import Ledger

MANY = 400


def text(number: int, letters: int, mark: str = "") -> list[dict[str, object]]:
    return [{"role": "user", "content": f"{mark}{number} ".ljust(letters, ".")}]


def tool_call(number: int) -> list[dict[str, object]]:
    call = {"id": f"call_{number}", "name": "look", "arguments": {"path": f"/var/{number}", "depth": number}}
    return [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": f"{number} ".ljust(500, "."), "tool_call_id": f"call_{number}"},
    ]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda number: text(number, 100), id="short"),
        pytest.param(lambda number: text(number, 8_000), id="long"),
        pytest.param(lambda number: text(number, 8_000, "\N{LATIN SMALL LETTER U WITH DIAERESIS}"), id="umlaut"),
        pytest.param(lambda number: text(number, 8_000, "\N{EM DASH}"), id="dash"),
        pytest.param(lambda number: text(number, 8_000, "\N{ROCKET}"), id="emoji"),
        pytest.param(tool_call, id="tool calls"),
    ],
)
def test_size_of_a_conversation_is_its_memory(make: Callable[[int], list[dict[str, object]]]) -> None:
    written = [json.dumps(message) for number in range(MANY) for message in make(number)]
    gc.collect()
    tracemalloc.start()
    try:
        ledger = Ledger(state=State(session_id="s", messages=[Message.model_validate_json(each) for each in written]))
        known = memory_bytes(ledger)
        gc.collect()
        real, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # To ask for the size must add nothing to it, either.
    assert 0.7 < real / known < 1.1
