"""What is logged, as lines on stderr."""

import builtins
import json
import logging
import sys
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from spine_temporal.cli.log import LineHandler
from tests.rooms.cli.command import CommandLine


def record(text: str, level: int = logging.WARNING, error: Exception | None = None, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("somebody", level, __file__, 1, text, (), (type(error), error, None) if error else None)
    vars(made).update(extra)
    return made


def printed(capsys: pytest.CaptureFixture[str], *records: logging.LogRecord) -> list[str]:
    handler = LineHandler()
    for each in records:
        handler.emit(each)
    return capsys.readouterr().err.splitlines()


def test_a_line_begins_with_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, record("ready", logging.INFO), record("slow"), record("broken", logging.ERROR))

    assert lines == ["ready", "warning: slow", "error: broken"]


def test_what_repeats_itself_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, record("slow"), record("slow"), record("slow")) == ["warning: slow"]


def test_an_exception_is_one_line_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    made = record("could not parse")
    try:
        int("no\nnumber")
    except ValueError:
        made.exc_info = sys.exc_info()

    (line,) = printed(capsys, made)

    assert line.startswith("warning: could not parse: ValueError: invalid literal for int() with base 10: ")
    assert f"({__file__}:" in line


def test_a_failed_attempt_names_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    activity = {"activity_type": "acme.fetch", "activity_id": "7", "workflow_id": "spine-a", "attempt": 2}

    (line,) = printed(capsys, record("a dump", error=ConnectionError("reset"), temporal_activity=activity))

    assert line == "warning: acme.fetch 7 of spine-a, attempt 2 failed: ConnectionError: reset"


def test_a_failure_that_an_activity_of_ours_has_logged_is_not_printed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = ApplicationError("ConnectError: refused", type="spine.StepFailed")

    assert printed(capsys, record("a dump", error=error, temporal_activity={})) == []


def test_nothing_is_imported_when_a_line_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, made = LineHandler(), record("a workflow's own", error=ValueError("x"))

    def refuse(name: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{name} was imported")

    with monkeypatch.context() as sandbox:
        sandbox.setattr(builtins, "__import__", refuse)
        handler.emit(made)

    assert capsys.readouterr().err == "warning: a workflow's own: ValueError: x\n"


@pytest.mark.durable
async def test_what_the_core_logs_is_not_among_the_answers(alone: CommandLine) -> None:
    # The core cannot put such a name in a header, and says so, unless the process ends before.
    away = {"TEMPORAL_NAMESPACE": "a\nb", "SPINE_TEMPORAL_LOG_JSON": "1"}

    listed, worker = await alone("list", environment=away), await alone("worker", *alone.queue, environment=away)

    assert listed.out == worker.out == ""
    logged = [json.loads(line) for line in worker.err.splitlines() if "Unable to parse" in line]
    assert {line["logger"] for line in logged} <= {"temporalio.core"}


def test_what_is_logged_is_one_line_that_commands_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, record("tool \x1b[31m\nerror: fake")) == [
        "warning: tool \N{REPLACEMENT CHARACTER}[31m error: fake"
    ]
