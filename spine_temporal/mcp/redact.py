"""What is secret in how an MCP server is reached."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from spine_mcp import MCPToolset

from spine_temporal.redact import MASK, is_secret, redact

# A shorter value is part of too many ordinary words to be masked wherever it occurs.
_SHORTEST: Final = 4
_LONG: Final = 8
"""A value of the environment that has this length is more than a switch, whatever its name."""
# They log the URL of each request.
_LOGGERS: Final = ("httpx", "httpx2", "mcp.client.streamable_http", "mcp.client.sse")


@dataclass(frozen=True, slots=True)
class ServerSecrets:
    """The name of a server that may be shown, with what must not be shown."""

    where: str
    values: frozenset[str]

    @classmethod
    def of(cls, toolset: MCPToolset) -> Self:
        """Those of a toolset: the user's part and the query of its URL; secret arguments; all of its environment."""
        if toolset.url:
            secrets = cls(_url_without_secrets(toolset.url), frozenset(_in_url(toolset.url)))
        else:
            shown, hidden = _arguments(toolset.args)
            where = " ".join([Path(toolset.command or "").name, *shown])
            secrets = cls(where, frozenset(_long(hidden)) | frozenset(_in_environment(toolset.env or {})))
        secrets.keep_out_of_logs()
        return secrets

    def redact(self, text: str) -> str:
        """The text with all of them masked, and whatever else looks like a secret."""
        # The longest first: one may contain another.
        for value in sorted(self.values, key=len, reverse=True):
            text = text.replace(value, MASK)
        return redact(text)

    def keep_out_of_logs(self) -> None:
        """Mask them in what the HTTP client logs of its requests."""
        for name in _LOGGERS if self.values else ():
            logging.getLogger(name).addFilter(self._masked)

    def _masked(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = self.redact(message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True


def _url_without_secrets(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{f'?{MASK}' if parts.query else ''}"


def _in_url(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition("@")[0]
    given = [userinfo, *userinfo.split(":", 1)[1:], *(value for _, value in parse_qsl(parts.query))]
    for value in given:
        yield from _long({value, unquote(value), quote(value), quote(value, safe="")})


def _arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments as they may be shown; of those the secret values."""
    shown: list[str] = []
    hidden: list[str] = []
    after_secret_option = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if after_secret_option:
            hidden.append(argument)
            shown.append(MASK)
        elif equals and is_secret(name):
            hidden.append(value)
            shown.append(f"{name}={MASK}")
        else:
            shown.append(redact(argument))
            hidden += set(argument.split()) - set(shown[-1].split())
        after_secret_option = argument.startswith("-") and not equals and is_secret(name)
    return shown, hidden


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    # What is handed to a server expressly is most often a key; a switch like DEBUG=true is none, nor is a path.
    return _long(
        value
        for name, value in environment.items()
        if is_secret(name) or redact(value) != value or (len(value) >= _LONG and value[0] not in "/.~")
    )


def _long(values: "Iterator[str] | Sequence[str] | set[str]") -> Iterator[str]:
    return (value for value in values if len(value) >= _SHORTEST)
