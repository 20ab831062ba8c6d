"""What can be typed after `spine-temporal` to roll out a version."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from spine_temporal.cli.options import Deployment, Json


def drain(
    context: typer.Context,
    *,
    build: Annotated[str, typer.Option("--build", metavar="ID", help="The build id of the version to leave.")],
    deployment: Deployment = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for runs that are at work.")
    ] = 30.0,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="For a version without workers: hand its runs over to the current one, where this one can replay them.",
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


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {"drain": drain}
"""In the order in which `--help` shows them."""
