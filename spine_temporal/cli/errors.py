"""What went wrong, as one line on stderr with an exit code."""

import contextlib
import sys
import tempfile
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import typer

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.terminal import message
from spine_temporal.errors import (
    AgentBroken,
    BadInput,
    ConversationLost,
    MissingExtra,
    NotAnAgentRun,
    PayloadUnreadable,
    RunFailed,
    RunNotFound,
    ServerUnreachable,
    SpineTemporalError,
    UnknownAgent,
)

if TYPE_CHECKING:
    from spine_temporal.client.run import Run

_EXITS: Final[dict[type[SpineTemporalError], Exit]] = {
    BadInput: Exit.BAD_USAGE,
    UnknownAgent: Exit.BAD_USAGE,
    AgentBroken: Exit.BAD_USAGE,
    MissingExtra: Exit.BAD_USAGE,
    PayloadUnreadable: Exit.BAD_USAGE,
    RunNotFound: Exit.NO_SUCH_RUN,
    NotAnAgentRun: Exit.NO_SUCH_RUN,
    ConversationLost: Exit.NO_ANSWER,
    RunFailed: Exit.NO_ANSWER,
    ServerUnreachable: Exit.NO_SERVER,
}

# The base of every error in how the command was called; typer has no public name for it.
_UsageError: Final = typer.BadParameter.__bases__[0]


def report(error: Exception) -> Exit:
    """Say on stderr what happened, in one line; the exit code for it."""
    if isinstance(error, typer.Abort):
        # What typer makes of Ctrl-C.
        return Exit.CTRL_C
    if isinstance(error, _UsageError):
        print_error(_usage(error))
        return Exit.BAD_USAGE
    if isinstance(error, SpineTemporalError):
        print_error(str(error))
        return next((code for type_, code in _EXITS.items() if isinstance(error, type_)), Exit.NO_ANSWER)
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        print_error(f"{error.strerror or error}{where}")
        return Exit.NO_ANSWER
    answer = _server_error(error)
    if answer is not None:
        print_error(answer[1])
        return answer[0]
    print_error(_bug(error))
    return Exit.BUG


def print_error(text: str) -> None:
    """One `error: ...` line on stderr, whatever it is made of."""
    message("error", " ".join(line.strip() for line in text.splitlines()), "bold red")


@contextlib.contextmanager
def ids_as_typed(run: "Run", given: str) -> Iterator[None]:
    """Have errors of the body name a run as the user did, not by its workflow id or its session id.

    Raises:
        SpineTemporalError: the body's own, in the user's words.
    """
    try:
        yield
    except SpineTemporalError as error:
        text = str(error).replace(repr(run.workflow_id), repr(given)).replace(repr(run.id), repr(given))
        raise (error if text == str(error) else type(error)(text)) from error.__cause__


def _usage(error: Exception) -> str:
    text = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "spine-temporal"
    return f"{text[:1].lower()}{text[1:]}; `{path} --help` says how"


def _server_error(error: Exception) -> tuple[Exit, str] | None:
    # Without the SDK in memory it is none of its errors, and importing it takes longer than the whole command.
    service = sys.modules.get("temporalio.service")
    if service is None or not isinstance(error, service.RPCError):
        return None
    status = service.RPCStatusCode
    if error.status in (status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED):
        return Exit.NO_SERVER, f"the Temporal server does not answer: {error.message}; try again"
    if error.status in (status.PERMISSION_DENIED, status.UNAUTHENTICATED):
        return Exit.BAD_USAGE, f"the Temporal server refuses: {error.message}; look at the API key or certificate"
    if error.status in (status.NOT_FOUND, status.INVALID_ARGUMENT):
        return Exit.BAD_USAGE, f"the Temporal server says: {error.message}"
    return Exit.NO_ANSWER, f"the Temporal server says: {error.message} ({error.status.name.lower()}); try again"


def _bug(error: Exception) -> str:
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    with tempfile.NamedTemporaryFile(
        "w", prefix="spine-temporal-", suffix=".txt", encoding="utf-8", errors="replace", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return f"{what}; this is a bug, please report it with its traceback, which is in {file.name}"
