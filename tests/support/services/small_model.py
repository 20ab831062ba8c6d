"""A language model of a few lines: the conversation alone decides what it says."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

type Parameters = Mapping[str, Sequence[str]]
"""The tools that were declared: the names of their parameters, in order."""

_CALL: Final = re.compile(r"(\w+)((?: \d+)+)")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, whichever API it came through."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    calls: tuple[str, ...] = ()
    """Of an assistant: the ids of its tool calls."""
    answers: str | None = None
    """Of a tool: the id of the call that this is the result of."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that the model makes."""

    id: str
    name: str
    arguments: str
    """JSON, as a model writes it: mostly well-formed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, with what it counted."""

    text: str | None
    calls: tuple[Call, ...]
    input_tokens: int
    output_tokens: int


def fault_in(turns: Sequence[Turn]) -> str | None:
    """Why no API would take this conversation: each tool call must have its result right behind it, and only those."""
    unanswered = list[str]()
    for turn in turns:
        if turn.role == "tool":
            if turn.answers not in unanswered:
                return f"there is no open tool call {turn.answers!r}"
            unanswered.remove(turn.answers)
        elif unanswered:
            return f"tool calls have no result: {', '.join(unanswered)}"
        unanswered += turn.calls
    return f"tool calls have no result: {', '.join(unanswered)}" if unanswered else None


def reply_to(turns: Sequence[Turn], tools: Parameters) -> Reply:
    """Do what the user's last words say.

    "add 1 2 and add 3 4 then add 5 6" is two calls side by side, then one, then words about the three results; a
    step that begins with "mumble" has arguments that break off. Anything else is repeated.
    """
    asked_at = max(at for at, turn in enumerate(turns) if turn.role == "user")
    steps = turns[asked_at].text.split(" then ")
    since = turns[asked_at + 1 :]
    done = sum(1 for turn in since if turn.calls)
    calls = _calls(steps[done], tools, first=sum(len(turn.calls) for turn in turns)) if done < len(steps) else ()
    results = [turn.text for turn in since if turn.role == "tool"]
    text = None if calls else f"It makes {' and '.join(results)}." if results else f"You said: {turns[asked_at].text}"
    return Reply(
        text=text,
        calls=calls,
        input_tokens=_words(turn.text for turn in turns) + len(tools),
        output_tokens=_words([text or "", *(call.arguments for call in calls)]),
    )


def pieces_of(text: str) -> list[str]:
    """The text as a model streams it."""
    return re.findall(r"\S+\s*", text)


def _calls(step: str, tools: Parameters, first: int) -> tuple[Call, ...]:
    wanted = [(name, numbers.split()) for name, numbers in _CALL.findall(step) if name in tools]
    calls = list[Call]()
    for at, (name, numbers) in enumerate(wanted, first):
        arguments = json.dumps(dict(zip(tools[name], map(int, numbers), strict=False)))
        calls.append(Call(f"call_{at}", name, arguments[:-1] if step.startswith("mumble") else arguments))
    return tuple(calls)


def _words(texts: Iterable[str]) -> int:
    return sum(len(text.split()) for text in texts)
