"""Options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Status(StrEnum):
    """Where a run is: at work, waiting for a decision or a turn, ended with an error; else Temporal's words."""

    RUNNING = "running"
    PAUSED = "paused"
    IDLE = "idle"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


class Busy(StrEnum):
    """What a turn does while another one is in hand."""

    QUEUE = "queue"
    REJECT = "reject"


class Late(StrEnum):
    """What becomes of a call that nobody decides in time."""

    REJECT = "reject"
    APPROVE = "approve"
    FAIL = "fail"


AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name, as its worker knows it.")]
Input = Annotated[str, typer.Argument(metavar="INPUT", help="What the user says; - reads it from stdin.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Session id or workflow id.")]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help="Name the conversation.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TaskQueue = Annotated[str, typer.Option("--task-queue", metavar="NAME", help="Where the workers poll.")]
OnBusy = Annotated[
    Busy, typer.Option("--on-busy", help="While another turn of the session is in hand: wait behind it, or refuse.")
]
ApprovalTimeout = Annotated[
    float | None,
    typer.Option("--approval-timeout", metavar="SECONDS", help="How long a call waits for a person; else for ever."),
]
OnTimeout = Annotated[Late | None, typer.Option("--on-timeout", help="What becomes of it then; else reject.")]
Follow = Annotated[
    bool | None,
    typer.Option("--follow/--no-follow", help="Print on stderr what it does; on a terminal it is."),
]
Stream = Annotated[
    bool,
    typer.Option(
        "--stream", help="Print what the model writes as it writes it; with --json every event, then the Result."
    ),
]
OfAgent = Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Of this agent only.")]
Call = Annotated[
    str | None,
    typer.Argument(metavar="CALL", help="Which call, as `approvals` or `show` name it; else the first that waits."),
]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decides; else your login name.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]
Deployment = Annotated[
    str | None,
    typer.Option("--deployment", metavar="NAME", help="Else TEMPORAL_DEPLOYMENT_NAME, or the only one there is."),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project", metavar="DIR", exists=True, file_okay=False, help="The project; else the one around this folder."
    ),
]
