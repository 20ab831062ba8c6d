"""What can be typed after `spine-temporal` to roll out a version."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from spine_temporal.cli.options import Deployment, Json, Project, TaskQueue
from spine_temporal.contracts import names


def drain(
    context: typer.Context,
    *,
    build: Annotated[str, typer.Option("--build", metavar="ID", help="The build id of the version to leave.")],
    deployment: Deployment = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for the next one to move.")
    ] = 30.0,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="For a version without workers: hand over what replays here to the version that is current.",
        ),
    ] = False,
    json: Json = False,
) -> int:
    """Move the runs of a version to the current one, with all that they carry.

    What waits for a person or for its next turn moves at once; what is at work moves at its next step boundary, also
    after this command has ended. Exits with 1 while some remain.
    """
    from spine_temporal.cli.drain import drain_version

    return drain_version(context.obj, build, deployment=deployment, wait_s=wait, replay=replay, json=json)


def gate(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Histories to replay; then no server is asked for any."),
    ] = None,
    *,
    project: Project = None,
    agent: Annotated[list[str] | None, typer.Option(metavar="MODULE:ATTR", help="One more agent.")] = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    limit: Annotated[int, typer.Option(min=0, help="At most so many histories, of open runs first.")] = 50,
    json: Json = False,
) -> int:
    """Whether this version may become current: run it in the new image.

    Builds every agent of the project, replays the latest runs of the task queue, has a scripted agent take one turn on
    the server, without a key or a network beyond it. Exits with 1 and says what is wrong with which run or agent.
    """
    from spine_temporal.cli.gate import gate as look

    return look(
        context.obj,
        files or [],
        project=project,
        agents=agent or (),
        task_queue=task_queue,
        histories=limit,
        json=json,
    )


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {"gate": gate, "drain": drain}
"""In the order in which `--help` shows them."""
