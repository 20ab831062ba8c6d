"""Times, sizes, texts in few characters."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

_SUMMARY_WIDTH: Final = 100
# A server may refuse more than 400 bytes of JSON (`limit.userMetadataSummarySize`), encrypted if need be; refused
# again and again, for a workflow that is not to go on without it.
_SUMMARY_BYTES: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def duration(seconds: float) -> str:
    """`30 ms`, `1.5 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `4 d 3 h`."""
    if seconds < 0.9995:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if not minutes:
        return f"{whole} s"
    if not hours:
        return f"{minutes} min {whole % 60:02} s"
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60:02} min"


def ago(seconds: float) -> str:
    """`12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`."""
    return f"{_largest_unit(seconds)} ago"


def ahead(seconds: float) -> str:
    """`in 12 s`, `in 3 min`; `now` for what is due."""
    return f"in {_largest_unit(seconds)}" if seconds >= 1 else "now"


def size(count: int) -> str:
    """`512 B`, `12.3 KB`, `1.2 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def many(count: int, noun: str) -> str:
    """`1 step`, `1,204 tokens`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def first_line(text: str) -> str:
    """The first line that says something, its white space collapsed, made harmless."""
    return next((one_line(line) for line in text.splitlines() if line.strip()), "")


def one_line(text: str) -> str:
    """All of `text` in one line, its white space collapsed, made harmless."""
    return harmless(" ".join(text.split()))


def harmless(text: str) -> str:
    """`text` without what would command the terminal: models and tools say what they were given to read."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def shortened(text: str, width: int) -> str:
    """`text` in one line of at most that many characters, made harmless."""
    line = one_line(text)
    return line if len(line) <= width else f"{line[: width - 1]}…"


def summary(text: str) -> str:
    """`text` in one line that any Temporal server takes as the summary of an event, run, timer."""
    line = shortened(text, _SUMMARY_WIDTH)
    while len(json.dumps(line)) > _SUMMARY_BYTES:
        line = f"{line[: len(line) * 3 // 4]}…"
    return line


def call(name: str, arguments: dict[str, Any]) -> str:
    """A tool call as Python would write it, in one line, harmless: models make up names of tools and arguments, too."""
    return f"{one_line(name)}({', '.join(f'{one_line(key)}={value!r}' for key, value in arguments.items())})"


def shape(name: str, arguments: dict[str, Any]) -> str:
    """A tool call without its values: `grep(pattern=…)`."""
    return f"{name}({', '.join(f'{key}=…' for key in arguments)})"


def utc(unix_s: float) -> str:
    """`2026-03-01 14:05 UTC`."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M} UTC"


def spent(tokens: int, cost_usd: float) -> str:
    """Tokens, with their price when they have one."""
    return many(tokens, "token") + (f" · ${cost_usd:.4f}" if cost_usd else "")


def price(tokens: int, cost_usd: float | None) -> str:
    """`$0.0125`; `unknown`, which is not `free`; nothing of what used nothing."""
    if cost_usd is None:
        return "unknown"
    if cost_usd:
        return f"${cost_usd:,.4f}"
    return "free" if tokens else ""


def _largest_unit(seconds: float) -> str:
    for unit, length_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length_s:
            return f"{seconds // length_s:.0f} {unit}"
    return f"{max(int(seconds), 0)} s"
