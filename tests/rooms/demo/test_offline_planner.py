"""The offline provider decides from the conversation, and from nothing else."""

from pathlib import Path
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, ToolCall, raw_tool, resolve_provider
from spine_core.messages import text_part

from spine_temporal.demo.folder import Folder
from spine_temporal.demo.offline import THINK_ENV, OfflineProvider
from spine_temporal.demo.planner.question import read_question
from spine_temporal.demo.planner.words import stem
from spine_temporal.demo.tools import reading_tools


def schemas(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "description": "", "parameters": {}} for name in names]


ALL = schemas("list_files", "grep", "read_file")


async def next_step(messages: list[Message], tools: list[dict[str, Any]] = ALL) -> ModelResponse:
    return await OfflineProvider("planner").complete(messages, tools)


async def talk(folder: Path, question: str, *names: str) -> list[Message]:
    tools = [tool for tool in reading_tools(Folder(folder)) if not names or tool.name in names]
    result = await Agent(OfflineProvider("planner"), tools=tools).run(question)
    return result.state.messages


def asked(messages: list[Message]) -> list[ToolCall]:
    return [call for message in messages for call in message.tool_calls]


async def test_first_step_lists_what_there_is() -> None:
    response = await next_step([Message.user("which modules open sockets?")])

    assert [(call.id, call.name, call.arguments["pattern"]) for call in response.message.tool_calls] == [
        ("call_1", "list_files", "**/*.py"),
        ("call_2", "list_files", "**/*socket*"),
    ]
    assert response.finish_reason == "tool_calls"


async def test_any_provider_continues_any_conversation_with_the_same_step(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import socket\nserver = socket.socket()\n")
    messages = await talk(tmp_path, "which modules open sockets?")

    steps = [index for index, message in enumerate(messages) if message.role == "assistant"]
    assert len(steps) > 4
    for index in steps:
        for _ in range(2):
            assert (await next_step(messages[:index])).message == messages[index]


async def test_tokens_are_estimated_from_characters_and_cost_nothing() -> None:
    short = await next_step([Message.user("who parses JSON?")], [])
    long = await next_step([Message.system("x" * 400), Message.user("who parses JSON?")], [])

    assert short.usage.cost_usd == 0
    assert long.usage.input_tokens == short.usage.input_tokens + 100
    assert short.usage.output_tokens == len(short.message.content or "") // 4


async def test_stream_is_the_same_step_word_by_word() -> None:
    messages = [Message.user("thanks!")]

    chunks = [chunk async for chunk in OfflineProvider("planner").stream(messages, ALL)]

    assert chunks[-1].response == await next_step(messages)
    assert "".join(chunk.delta for chunk in chunks) == (await next_step(messages)).message.content
    assert len(chunks) > 5


async def test_question_in_parts_is_read_like_one_in_text() -> None:
    in_parts = await next_step([Message.user_parts([text_part("who parses JSON?")])])

    assert in_parts.message == (await next_step([Message.user("who parses JSON?")])).message


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("which modules open sockets?", "open sockets"),
        ("where are threads started?", "start threads"),
        ("Who is parsing JSON here?", "parse JSON"),
        ("who writes json?", "write JSON"),
        ("which files spawn a subprocess?", "start processes"),
        ("which modules read environment variables?", "read the environment"),
        ("where is `OrderedDict` defined?", "`OrderedDict`"),
        ("who calls json.loads?", "`json.loads`"),
        ("what uses max_workers", "`max_workers`"),
        ("which classes inherit from TCPServer?", "`TCPServer`"),
        ("who imports asyncio?", "`asyncio`"),
        ("how do retries back off?", "`retries`, `back`, `off`"),
    ],
)
def test_question_is_understood_by_its_words(question: str, subject: str) -> None:
    aim = read_question(question)

    assert aim is not None
    assert aim.subject == subject


@pytest.mark.parametrize(
    "forms",
    [("parse", "parses", "parsed", "parsing"), ("query", "queries"), ("process", "processes"), ("log", "logging")],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


async def test_question_without_a_word_to_search_for_is_answered_at_once() -> None:
    response = await next_step([Message.user("thanks!")])

    assert response.message.tool_calls == []
    assert "no word to search for" in (response.message.content or "")


async def test_search_that_shows_too_much_is_narrowed(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"module_{number:02}.py").write_text("value = open('a-file-with-a-name-of-some-length')\n" * 30)

    searches = [call.arguments for call in asked(await talk(tmp_path, "who opens files?")) if call.name == "grep"]

    assert "per_file" not in searches[0]
    assert searches[1] == searches[0] | {"per_file": 1}


async def test_search_that_shows_nothing_is_widened_to_words_then_to_all_files(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("pass\n")
    (tmp_path / "NOTES.md").write_text("The socket is opened by the supervisor.\n")

    messages = await talk(tmp_path, "which modules open sockets?")

    globs = [call.arguments["glob"] for call in asked(messages) if call.name == "grep"]
    assert globs[-2:] == ["**/*.py", "**/*"]
    assert "NOTES.md:1: `The socket is opened by the supervisor.`" in (messages[-1].content or "")


async def test_line_whose_block_begins_out_of_sight_is_read_further_up(tmp_path: Path) -> None:
    body = "    value = 1\n" * 100
    (tmp_path / "code.py").write_text(f"import os\n\n\ndef work():\n{body}    os.remove('a')\n")
    (tmp_path / "text.py").write_text(f"import os\n\n\ndef work():\n    '''\n{body}    os.remove('a')\n    '''\n")

    messages = await talk(tmp_path, "who deletes files?")

    answer = messages[-1].content or ""
    assert sum(call.name == "read_file" for call in asked(messages)) > 2
    assert "- code: code.py:105 in `work`" in answer
    assert "Not counted, a comment or another string: text.py:106." in answer


async def test_without_a_search_the_files_with_a_fitting_name_are_read(tmp_path: Path) -> None:
    (tmp_path / "my_sockets.py").write_text("import socket\n\n\ndef dial():\n    return socket.socket()\n")

    messages = await talk(tmp_path, "which modules open sockets?", "list_files", "read_file")

    assert "grep" not in {call.name for call in asked(messages)}
    assert "- my_sockets: my_sockets.py:5 in `dial`" in (messages[-1].content or "")


async def test_without_any_tool_the_answer_says_that_nothing_was_searched() -> None:
    response = await next_step([Message.user("who parses JSON?")], schemas("send_mail"))

    assert response.message.tool_calls == []
    assert "I searched 0 files and read 0 excerpts." in (response.message.content or "")


@pytest.mark.parametrize(
    "failure", ["Error: unknown tool 'grep'", "Tool 'grep' was rejected by human: 'no'", "", "???"]
)
async def test_tool_that_keeps_failing_is_given_up_and_named_in_the_answer(failure: str, tmp_path: Path) -> None:
    async def broken(**_: Any) -> str:
        return failure

    tools = [raw_tool(tool.name, tool.description, tool.parameters, broken) for tool in reading_tools(Folder(tmp_path))]
    result = await Agent(OfflineProvider("planner"), tools=tools).run("who parses JSON?")

    assert result.ok
    assert result.state.step < 8
    assert "I searched 0 files" in (result.answer or "")
    assert f"a tool gave no result ({failure or 'an empty answer'})" in (result.answer or "")


def test_thinking_time_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THINK_ENV, "1.5")
    slow = resolve_provider("offline:planner")

    assert isinstance(slow, OfflineProvider)
    assert (slow.model, slow.think_s) == ("planner", 1.5)


@pytest.mark.parametrize("text", ["soon", "nan", "-1", "inf"])
def test_a_thinking_time_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THINK_ENV, text)

    with pytest.raises(ValueError, match=f"'{text}' is not a number of seconds"):
        resolve_provider("offline:planner")
