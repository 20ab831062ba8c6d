"""Options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Status(StrEnum):
    """Temporal's words for where a run is."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name, as its worker knows it.")]
Said = Annotated[str, typer.Argument(metavar="INPUT", help="What the user says; - reads it from stdin.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Session id or workflow id.")]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help="Name the conversation.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TaskQueue = Annotated[str, typer.Option("--task-queue", metavar="NAME", help="Where the workers poll.")]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project", metavar="DIR", exists=True, file_okay=False, help="The project; else the one around this folder."
    ),
]
