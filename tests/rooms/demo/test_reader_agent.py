"""The demo agent answers questions about source code, on the plain kernel."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from spine_core import Result, StopReason

from spine_temporal.demo.agent import MAX_STEPS, default_folder, demo_agent

_EVIDENCE = re.compile(
    r"(?P<path>[\w./-]+\.py):(?P<line>\d+)(?: in `\w+`)?: `(?P<text>.*?)`(?: \(also line (?P<also>[\d, ]+)\))?$"
)
_OPENERS = {"socket", "create_connection", "create_server", "socketpair"}


@pytest.fixture(scope="module")
async def sockets() -> Result:
    return await demo_agent(default_folder(), "offline:planner").run("which modules open sockets?")


async def test_question_about_the_standard_library_ends_with_an_answer(sockets: Result) -> None:
    assert sockets.stopped_reason is StopReason.FINAL
    assert 8 <= sockets.state.step <= 14 < MAX_STEPS
    assert {call.name for message in sockets.state.messages for call in message.tool_calls} == {
        "list_files",
        "grep",
        "read_file",
    }


async def test_answer_names_the_modules_that_are_known_to_open_sockets(sockets: Result) -> None:
    answer = sockets.answer or ""

    for module in ("asyncio.base_events", "socketserver", "smtplib", "logging.handlers", "ssl", "http.client"):
        assert f"- {module}: " in answer
    assert "- json" not in answer


async def test_every_line_of_evidence_is_a_call_in_the_syntax_tree_of_its_file(sockets: Result) -> None:
    opening = (sockets.answer or "").split("\n\n")[0]
    places = [found for line in opening.splitlines() if (found := _EVIDENCE.search(line))]

    assert len(places) == len(opening.splitlines()) - 1 >= 10
    for place in places:
        source = (default_folder() / place["path"]).read_text("utf-8")
        lines = [int(place["line"]), *map(int, (place["also"] or "").split(", ") if place["also"] else ())]
        assert source.split("\n")[lines[0] - 1].strip() == place["text"]
        assert set(lines) <= lines_that_call(_OPENERS, source)


async def test_every_line_of_evidence_was_read_in_the_conversation(sockets: Result) -> None:
    read = "\n".join(message.content or "" for message in sockets.state.messages if message.name == "read_file")

    for line in (sockets.answer or "").split("\n\n")[0].splitlines()[1:]:
        place = _EVIDENCE.search(line)
        assert place is not None
        assert f"{place['line']:>5}| " in read
        assert place["text"] in read


async def test_answer_says_what_was_not_counted_and_not_checked(sockets: Result) -> None:
    answer = sockets.answer or ""

    assert "Not counted, a comment or another string: " in answer
    assert "What I could not check:" in answer


async def test_small_folder_is_answered_from_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "pool.py").write_text(
        "from threading import Thread\n\n\ndef begin(work):\n    Thread(target=work).start()\n"
    )
    (tmp_path / "notes.py").write_text('"""threading.Thread() is started elsewhere."""\n# threading.Thread()\n')

    result = await demo_agent(tmp_path, "offline:planner").run("where are threads started?")

    assert result.stopped_reason is StopReason.FINAL
    assert "- jobs.pool: jobs/pool.py:5 in `begin`: `Thread(target=work).start()`" in (result.answer or "")
    assert "Not counted, a comment or another string: notes.py:1, notes.py:2." in (result.answer or "")


async def test_folder_without_any_hit_is_answered_with_nothing_found(tmp_path: Path) -> None:
    result = await demo_agent(tmp_path, "offline:planner").run("which modules open sockets?")

    assert result.stopped_reason is StopReason.FINAL
    assert (result.answer or "").startswith("I found no line for: open sockets.\n\nI searched 0 files")


async def test_second_question_of_a_session_is_answered_for_itself(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import socket\n\n\ndef dial():\n    return socket.create_connection(('::1', 80))\n"
    )
    (tmp_path / "data.py").write_text("import json\n\n\ndef parse(text):\n    return json.loads(text)\n")
    agent = demo_agent(tmp_path, "offline:planner")

    first = await agent.run("which modules open sockets?", session_id="talk")
    second = await agent.run("and who parses JSON?", session_id="talk")

    assert "- net: net.py:5 in `dial`" in (first.answer or "")
    assert "- data: data.py:5 in `parse`" in (second.answer or "")
    assert "net.py" not in (second.answer or "")


async def test_streamed_words_are_the_answer(tmp_path: Path) -> None:
    agent = demo_agent(tmp_path, "offline:planner")

    events = [event async for event in agent.stream("who parses JSON?")]

    last_step = max(event.step for event in events)
    words = [event.data["delta"] for event in events if event.type == "token" and event.step == last_step]
    assert agent.last_result is not None
    assert "".join(words) == agent.last_result.answer


@pytest.mark.parametrize(
    ("keys", "provider"),
    [
        ({}, "OfflineProvider"),
        ({"ANTHROPIC_API_KEY": "k"}, "AnthropicProvider"),
        ({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}, "OpenAIProvider"),
    ],
)
def test_model_is_the_one_whose_key_is_in_the_environment(
    keys: dict[str, str], provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in keys.items():
        monkeypatch.setenv(name, value)

    agent = demo_agent(tmp_path)

    assert type(agent.provider).__name__ == provider
    assert agent.name == "reader"


def test_demo_runs_without_importing_temporal(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from spine_temporal.demo.agent import demo_agent; "
        f"demo_agent(Path({str(tmp_path)!r}), 'offline:planner').run_sync('who parses JSON?'); "
        "assert not any(name.startswith('temporalio') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def lines_that_call(names: set[str], source: str) -> set[int]:
    called = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {node.func.lineno for node in called if ast.unparse(node.func).rpartition(".")[2] in names}
