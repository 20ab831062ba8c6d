"""Each log line from within a run says which run, agent, step, call and attempt; none comes twice."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, tool
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.telemetry.logs import FIELDS, JsonFormatter, RunFilter, mark_lines
from tests.support.harness import Durable

_log = logging.getLogger("tests.of.a.user")
SECRET = "canary-7781"


class Kept(logging.Handler):
    """Keeps the lines, as JSON gives them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept, root = Kept(), logging.getLogger()
    mark_lines([kept], as_json=True)
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    yield kept
    root.removeHandler(kept)
    root.setLevel(before)


class Chatty(ScriptedProvider):
    async def complete(self, messages: list[Message], tools: Any = None, **kwargs: Any) -> ModelResponse:
        _log.info("asked")
        return await super().complete(messages, tools, **kwargs)


@tool
def in_thread() -> str:
    """Log from a thread."""
    _log.info("in a thread")
    return SECRET


@tool
async def in_loop() -> str:
    """Log from the loop."""
    _log.info("in the loop")
    return SECRET


@pytest.mark.durable
async def test_lines_of_models_and_tools_say_where_they_come_from_and_come_once(durable: Durable, kept: Kept) -> None:
    script = [calls(("in_thread", {}), ("in_loop", {})), text("done")]
    run = await durable(Agent(Chatty(*script), tools=[in_thread, in_loop])).start(SECRET)

    await run.result()

    common = {"run": run.workflow_id, "run_id": run.run_id, "agent": "agent", "attempt": 1}
    ours = [line for line in kept.lines if line["logger"] == _log.name]
    assert [(line["message"], {name: line[name] for name in FIELDS if name in line}) for line in ours] == [
        ("asked", common | {"step": 1}),
        ("in a thread", common | {"step": 1, "call": "1.0"}),
        ("in the loop", common | {"step": 1, "call": "1.1"}),
        ("asked", common | {"step": 2}),
    ]
    assert SECRET not in json.dumps(kept.lines)


def test_line_from_elsewhere_is_left_as_it_is() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "said %s", ("a\nb",), None)

    assert RunFilter().filter(record)
    line = json.loads(JsonFormatter().format(record))

    assert record.__dict__["where"] == ""
    assert {*line} == {"time", "level", "logger", "message"}
    assert line["message"] == "said a\nb"
    assert "\n" not in JsonFormatter().format(record)


def test_line_of_an_exception_is_one_line() -> None:
    error = ValueError("odd \ud800 text")
    record = logging.LogRecord("n", logging.ERROR, "f", 1, "failed", (), (type(error), error, None))

    written = JsonFormatter().format(record)

    assert "ValueError: odd" in json.loads(written)["exception"]
    written.encode()
