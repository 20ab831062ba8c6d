"""What can be typed after `spine-temporal`; what does it is imported when a command runs."""

from typing import Annotated, Final

import typer

from spine_temporal import __version__
from spine_temporal.cli.deploy_commands import COMMANDS as DEPLOY_COMMANDS
from spine_temporal.cli.exit_codes import EPILOG
from spine_temporal.cli.options import AgentName, Deployment, Json, Project, Session, TaskQueue
from spine_temporal.cli.run_commands import COMMANDS
from spine_temporal.cli.server import Server
from spine_temporal.contracts import names

_HELP: Final = """\
Agents that survive: run spine agents durably on Temporal.

\b
  spine-temporal demo                     see what this is about
  spine-temporal dev                      a server, its web UI and a worker
  spine-temporal run assistant "hello"    in another terminal

The server is the one that TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE and Temporal's profile file name,
else localhost:7233. The options below go before them; they may also stand after the command.
"""

_HELP_OPTIONS: Final = {"help_option_names": ["-h", "--help"]}

app: Final = typer.Typer(
    rich_markup_mode=None,  # boxes, and half a second to draw them
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings=_HELP_OPTIONS,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001
    if asked:
        typer.echo(f"spine-temporal {__version__}")
        raise typer.Exit


@app.callback(help=_HELP)
def spine_temporal(
    context: typer.Context,
    *,
    address: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The Temporal server.")] = None,
    namespace: Annotated[str | None, typer.Option(metavar="NAME", help="Its namespace.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="A profile in Temporal's own file.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Say which server the command talks to."""
    context.obj = Server(address, namespace, profile)


# It has options of its own; they are read when it runs, for it takes long to import.
@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
def demo(context: typer.Context) -> int:
    """See a run survive the kill of its worker, in a minute."""
    from spine_temporal.demo.story.command import demo as story

    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(context_settings=_HELP_OPTIONS)(story)
    return alone(context.args, prog_name="spine-temporal demo", standalone_mode=False) or 0


@app.command()
def dev(
    context: typer.Context,
    *,
    project: Project = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The server's port; else that of its address, or 7233.")
    ] = None,
    ui_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The web UI's port; else the server's + 1000.")
    ] = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
) -> None:
    """A server, its web UI and a worker for the project, at once."""
    from spine_temporal.cli.dev import dev as run_all

    run_all(context.obj, project, port=port, ui_port=ui_port, task_queue=task_queue)


@app.command()
def worker(
    context: typer.Context,
    *,
    project: Project = None,
    agent: Annotated[list[str] | None, typer.Option(metavar="MODULE:ATTR", help="One more agent.")] = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    health_address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where HTTP probes, metrics and autoscalers ask.")
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log lines as JSON, one object each.")] = False,
) -> None:
    """A worker for a project's agents."""
    from spine_temporal.cli.worker import worker as serve

    serve(
        context.obj,
        project,
        agents=agent or (),
        task_queue=task_queue,
        health_address=health_address,
        log_json=log_json,
    )


@app.command()
def chat(
    context: typer.Context,
    agent: AgentName,
    *,
    session: Session = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
) -> int:
    """A conversation in the terminal.

    What the model writes is printed as it writes it, calls that need approval are asked about, Ctrl-C stops the turn
    and not the session.
    """
    from spine_temporal.cli.chat import chat as talk

    return talk(context.obj, agent, session, task_queue=task_queue)


@app.command()
def plugins(
    *,
    load: Annotated[bool, typer.Option("--load", help="Import each, and say what it registers.")] = False,
    json: Json = False,
) -> int:
    """The installed plugins, and which of them can be used.

    Nothing is imported unless asked: of what kind one is, its name says by custom.
    """
    from spine_temporal.cli.plugins import plugins as list_plugins

    return list_plugins(load=load, json=json)


@app.command()
def init(
    context: typer.Context,
    *,
    retention: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Create the namespace, too, that keeps closed runs so long: 7d, 72h."),
    ] = None,
    json: Json = False,
) -> int:
    """Create the search attributes that lists and stats use.

    What is there stays as it is. Where that is for others to do, as on Temporal Cloud, it prints what they type.
    """
    from spine_temporal.cli.init import init as create

    return create(context.obj, retention=retention, json=json)


@app.command()
def doctor(
    context: typer.Context,
    *,
    project: Project = None,
    agent: Annotated[list[str] | None, typer.Option(metavar="MODULE:ATTR", help="One more agent.")] = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    deploy: Annotated[
        bool, typer.Option("--deploy", help="Also the versions of a worker deployment, the clock, the key's age.")
    ] = False,
    deployment: Deployment = None,
    json: Json = False,
) -> int:
    """Look whether server, project, agents, plugins and keys are in order.

    What is not stands there with what to do about it.
    """
    from spine_temporal.cli.doctor import doctor as check

    return check(
        context.obj,
        project,
        agents=agent or (),
        task_queue=task_queue,
        deploy=deploy,
        deployment=deployment,
        json=json,
    )


@app.command()
def limits(
    context: typer.Context,
    *,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    per_second: Annotated[
        float | None, typer.Option(metavar="N", help="Steps and tool calls that all workers begin; 0 ends the limit.")
    ] = None,
    tenant_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="The same for each tenant; 0 ends the limit.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(metavar="TENANT=W", help="A tenant's share of the workers; another one has 1.")
    ] = None,
    json: Json = False,
) -> int:
    """What the server holds all workers of a task queue to.

    Without an option it is printed as it is. It takes effect at once and stays until somebody changes it.
    """
    from spine_temporal.cli.limits import limits as set_limits

    return set_limits(
        context.obj,
        task_queue,
        per_second=per_second,
        tenant_per_second=tenant_per_second,
        weights=weight or (),
        json=json,
    )


@app.command()
def scale(
    context: typer.Context,
    task_queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Where the workers poll.")],
    *,
    build: Annotated[
        str | None, typer.Option("--build", metavar="ID", help="Only for workers of the version with this build id.")
    ] = None,
    deployment: Deployment = None,
    json: Json = False,
) -> int:
    """The work of a task queue, as autoscalers are answered by a worker's /scale/QUEUE?build=ID.

    Runs that wait for people, or for their next turn, are none.
    """
    from spine_temporal.cli.scale import scale as ask

    return ask(context.obj, task_queue, build_id=build, deployment=deployment, json=json)


key: Final = typer.Typer(
    help="Keys that payloads are encrypted with.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings=_HELP_OPTIONS,
)
app.add_typer(key, name="key")


@key.command("new")
def new_key(
    id: Annotated[str | None, typer.Option("--id", metavar="ID", help="Its name; else today's date.")] = None,
) -> None:
    """Print a new random key, as a line for the file that SPINE_TEMPORAL_KEY_FILE names."""
    from spine_temporal.cli.terminal import write
    from spine_temporal.encryption.keys import new_key as make

    write(f"{make(id)}\n")


@app.command()
def docs(
    page: Annotated[str | None, typer.Argument(metavar="PAGE", help="Which page; else they are listed.")] = None,
) -> int:
    """Read about a subject: approvals, sessions, operations, ..."""
    from spine_temporal.cli.docs import docs as show_docs

    return show_docs(page)


for name, command in {**COMMANDS, **DEPLOY_COMMANDS}.items():
    app.command(name)(command)
