"""What the conversation has shown so far."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from spine_core import Message, ToolCall

from spine_temporal.demo.planner.probes import Probe

_MATCH = re.compile(r"^(?P<path>[^\n]+?):(?P<line>\d+):(?P<text>.*)$")
_NUMBERED = re.compile(r"^ *(?P<line>\d+)\| ?(?P<text>.*)$")
_LEFT_OUT = re.compile(r"^\[left out: (?P<count>\d+) more ")
# The first line of a result; anything else is an error, a refusal or an answer in a form unknown here.
_RESULT = {
    "list_files": re.compile(r"\d+ files match "),
    "grep": re.compile(r"\d+ lines match in (?P<files>\d+) of (?P<searched>\d+) files"),
    "read_file": re.compile(r".+, lines \d+-\d+ of \d+"),
}


@dataclass(frozen=True, order=True)
class Hit:
    """A line that a search showed."""

    path: str
    line: int
    text: str = field(compare=False)


@dataclass
class Notebook:
    """Everything that tools answered in the conversation; built from it anew for every step."""

    question: str = ""
    steps: int = 0
    """Model steps since the question."""
    reads: int = 0
    """Files read since the question, counted by read."""
    calls: int = 0
    """Tool calls of the whole conversation, so that the next one gets a new id."""
    answered: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)
    """Names of tools that answered at least once without an error."""
    listed: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    """Those of the listed files that the last listing was about."""
    pages: dict[str, dict[int, str]] = field(default_factory=dict)

    def hits(self, probe: Probe) -> list[Hit]:
        """The lines that searches for this probe showed."""
        hits: set[Hit] = set()
        for per_file in (None, 1):
            lines = self.answered.get(key("grep", search(probe, per_file)), "").splitlines()[1:]
            hits |= {Hit(m["path"], int(m["line"]), m["text"]) for m in map(_MATCH.match, lines) if m}
        return sorted(hit for hit in hits if probe.only is None or hit.path in probe.only)

    def left_out(self, probe: Probe, per_file: int | None = None) -> int:
        """How many matching lines the search did not show."""
        lines = self.answered.get(key("grep", search(probe, per_file)), "").splitlines()
        return sum(int(m["count"]) for m in map(_LEFT_OUT.match, lines) if m)

    def hidden_files(self, probe: Probe) -> int:
        """How many files have a match of which the search showed nothing."""
        found = _RESULT["grep"].match(self.answered.get(key("grep", search(probe)), ""))
        shown = {hit.path for hit in self.hits(replace(probe, only=None))}
        return int(found["files"]) - len(shown) if found else 0

    def searched_files(self, probe: Probe) -> int:
        """How many files the probe's search went through."""
        found = _RESULT["grep"].match(self.answered.get(key("grep", search(probe)), ""))
        return int(found["searched"]) if found else 0

    def excerpts(self) -> int:
        """How many excerpts of files the conversation holds."""
        return sum(call.startswith("read_file ") for call in self.answered)

    def was_asked(self, name: str, arguments: dict[str, Any]) -> bool:
        """Whether a tool has answered this very call, with a result or an error."""
        return key(name, arguments) in self.answered or key(name, arguments) in self.failed


def key(name: str, arguments: dict[str, Any]) -> str:
    """What two equal calls have in common."""
    return f"{name} {json.dumps(arguments, sort_keys=True)}"


def search(probe: Probe, per_file: int | None = None) -> dict[str, Any]:
    """The arguments of the probe's search."""
    narrowed = {} if per_file is None else {"per_file": per_file}
    return {"pattern": probe.regex, "glob": probe.glob, **narrowed}


def read_conversation(messages: list[Message]) -> Notebook:
    """The notebook of a conversation; results in a form the planner cannot read leave nothing in it."""
    book = Notebook()
    open_calls: dict[str, ToolCall] = {}
    for message in messages:
        if message.role == "user":
            book.question, book.steps, book.reads = text_of(message), 0, 0
        elif message.role == "assistant":
            book.steps += 1
            book.calls += len(message.tool_calls)
            open_calls |= {call.id: call for call in message.tool_calls}
        elif message.role == "tool" and (call := open_calls.pop(message.tool_call_id or "", None)):
            _note(book, call, message.content or "")
    return book


def text_of(message: Message) -> str:
    """A message's text, whether it stands in its content or in parts."""
    parts = [str(part.get("text", "")) for part in message.parts or ()]
    return "\n".join(filter(None, [message.content, *parts]))


def _note(book: Notebook, call: ToolCall, content: str) -> None:
    book.reads += call.name == "read_file"
    form = _RESULT.get(call.name)
    if form is None or not form.match(content):
        book.failed[key(call.name, call.arguments)] = content
        return
    book.answered[key(call.name, call.arguments)] = content
    book.worked.add(call.name)
    lines = content.splitlines()[1:]
    if call.name == "list_files":
        book.named = frozenset(line for line in lines if not line.startswith("[left out: "))
        book.listed |= book.named
    elif call.name == "read_file":
        page = book.pages.setdefault(str(call.arguments.get("path")), {})
        page |= {int(m["line"]): m["text"] for m in map(_NUMBERED.match, lines) if m}
