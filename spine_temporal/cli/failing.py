"""What went wrong, as one line on stderr with an exit code."""

import sys
import traceback
from typing import Final

import typer

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.screen import say
from spine_temporal.errors import (
    AgentBroken,
    BadInput,
    ConversationLost,
    MissingExtra,
    NotAnAgentRun,
    RunFailed,
    RunNotFound,
    ServerUnreachable,
    SpineTemporalError,
    UnknownAgent,
)

_EXITS: Final[dict[type[SpineTemporalError], Exit]] = {
    BadInput: Exit.BAD_USAGE,
    UnknownAgent: Exit.BAD_USAGE,
    AgentBroken: Exit.BAD_USAGE,
    MissingExtra: Exit.BAD_USAGE,
    RunNotFound: Exit.NO_SUCH_RUN,
    NotAnAgentRun: Exit.NO_SUCH_RUN,
    ConversationLost: Exit.NO_ANSWER,
    RunFailed: Exit.NO_ANSWER,
    ServerUnreachable: Exit.NO_SERVER,
}

# The base of every error in how the command was called; typer has no public name for it.
_UsageError: Final = typer.BadParameter.__bases__[0]


def report(error: Exception) -> Exit:
    """Say on stderr what happened; the exit code for it. An error that is nobody's but ours keeps its traceback."""
    if isinstance(error, _UsageError):
        say_error(_usage(error))
        return Exit.BAD_USAGE
    if isinstance(error, SpineTemporalError):
        say_error(str(error))
        return next((code for type_, code in _EXITS.items() if isinstance(error, type_)), Exit.NO_ANSWER)
    refusal = _refusal(error)
    if refusal is not None:
        say_error(refusal[1])
        return refusal[0]
    traceback.print_exception(error)
    return Exit.BUG


def say_error(text: str) -> None:
    """One `error: ...` line on stderr."""
    say("error", text, "bold red")


def _usage(error: Exception) -> str:
    text = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "spine-temporal"
    return f"{text[:1].lower()}{text[1:]}; `{path} --help` says how"


def _refusal(error: Exception) -> tuple[Exit, str] | None:
    # Without the SDK in memory it is none of its errors, and importing it takes longer than the whole command.
    service = sys.modules.get("temporalio.service")
    if service is None or not isinstance(error, service.RPCError):
        return None
    status = service.RPCStatusCode
    if error.status in (status.UNAVAILABLE, status.DEADLINE_EXCEEDED):
        return Exit.NO_SERVER, f"the Temporal server does not answer: {error.message}"
    if error.status in (status.NOT_FOUND, status.INVALID_ARGUMENT):
        return Exit.BAD_USAGE, f"the Temporal server says: {error.message}"
    if error.status in (status.PERMISSION_DENIED, status.UNAUTHENTICATED):
        return Exit.BAD_USAGE, f"the Temporal server refuses: {error.message}; look at the API key or certificate"
    return None
