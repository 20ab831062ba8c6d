"""A namespace with its search attributes created: what `spine-temporal init` does."""

import asyncio
import json as json_
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.cli.errors import print_error
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import note, write
from spine_temporal.connection.namespaces import find_or_create, parse_retention, written_retention
from spine_temporal.connection.search_attributes import DENIED, FoundAttributes, create, look
from spine_temporal.connection.web_ui import is_cloud
from spine_temporal.contracts.search_attributes import NAMES, TABLE

_REFUSED: Final = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.FAILED_PRECONDITION)


@dataclass(slots=True)
class _Outcome:
    namespace: str
    there: list[str]
    created: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """Who may create what is missing types these."""
    error: str = ""
    namespace_created: bool = False
    retention: str = ""
    """As `7d`; empty: nobody asked."""


def init(server: Server, *, retention: str | None, json: bool) -> Exit:
    """Create what the namespace lacks; say what to do where that is for others to do.

    With a `retention` the namespace is created, too, when it is missing; one that has another stays as it is.
    """
    wanted = parse_retention(retention) if retention is not None else None
    outcome = asyncio.run(_initialized(server, wanted))
    if json:
        write(json_.dumps(asdict(outcome), indent=2))
    else:
        if outcome.namespace_created:
            note(f"created: namespace {outcome.namespace!r}, which keeps closed runs for {outcome.retention}")
        if outcome.there:
            note(f"there already: {', '.join(outcome.there)}")
        if outcome.created:
            note(f"created: {', '.join(outcome.created)}")
    if not outcome.error:
        if not json:
            write(f"namespace {outcome.namespace!r} has the search attributes of spine-temporal")
        return Exit.DONE
    print_error(outcome.error)
    if not json:
        for command in outcome.commands:
            write(command)
    return Exit.BAD_USAGE


def cloud_command(namespace: str, attributes: Iterable[str]) -> str:
    """The line that creates these attributes in a namespace of Temporal Cloud, in its own command."""
    types = {each.name: each.type for each in TABLE}
    pairs = [part for name in attributes for part in ("--search-attribute", f"{name}={types[name]}")]
    return shlex.join(["tcld", "namespace", "search-attributes", "add", "--namespace", namespace, *pairs])


def operator_commands(server: Server, attributes: Iterable[str]) -> list[str]:
    """The lines that create these attributes on any other server."""
    types = {each.name: each.type for each in TABLE}
    words = ("operator", "search-attribute", "create")
    return [server.command(*words, "--name", name, "--type", types[name], program="temporal") for name in attributes]


async def _initialized(server: Server, retention: timedelta | None) -> _Outcome:
    client = await server.client()
    if retention is None:
        return await _init(server, client)
    try:
        namespace = await find_or_create(client, retention)
    except RPCError as error:
        if error.status not in DENIED:
            raise
        return _namespace_left_to_others(server, client, retention, error)
    outcome = await _init(server, client)
    outcome.namespace_created, outcome.retention = namespace.created, written_retention(namespace.retention)
    if namespace.retention != retention and not outcome.error:
        outcome.error = (
            f"namespace {client.namespace!r} keeps closed runs for {outcome.retention}, not for "
            f"{written_retention(retention)}; nothing was changed, whoever operates it types this:"
        )
        outcome.commands = [_retention_command(server, client, retention)]
    return outcome


async def _init(server: Server, client: Client) -> _Outcome:
    try:
        found = await look(client)
    except RPCError as error:
        if error.status not in DENIED:
            raise
        # What is there nobody says: whoever may create them sees.
        outcome = _Outcome(client.namespace, [], missing=list(NAMES))
        _left_to_others(server, client, outcome, outcome.missing, error)
        return outcome
    outcome = _Outcome(client.namespace, list(found.there))
    wanted = [name for name in found.missing if name not in found.of_other_types]
    try:
        await _create(client, wanted, outcome)
    except RPCError as error:
        if error.status not in DENIED:
            raise
        _left_to_others(server, client, outcome, wanted, error)
    outcome.missing = [name for name in found.missing if name not in outcome.created]
    if found.of_other_types and not outcome.error:
        outcome.error = _of_other_types(found)
        outcome.commands = [
            server.command("operator", "search-attribute", "remove", "--name", name, program="temporal")
            for name in found.of_other_types
        ]
    return outcome


async def _create(client: Client, wanted: list[str], outcome: _Outcome) -> None:
    try:
        await create(client, wanted)
        outcome.created = wanted
    except RPCError as error:
        if error.status not in _REFUSED:
            raise
        # A store in SQL has room for so many of each type: those that find room are created, the first ones first.
        for name in wanted:
            try:
                await create(client, [name])
            except RPCError as refused:
                if refused.status not in _REFUSED:
                    raise
                left = ", ".join(each for each in wanted if each not in [*outcome.created, name])
                outcome.error = outcome.error or f"the server does not take {name}: {refused.message}" + (
                    f"; {left} may be missing as well" if left else ""
                )
            else:
                outcome.created.append(name)


def _left_to_others(server: Server, client: Client, outcome: _Outcome, wanted: list[str], error: RPCError) -> None:
    if is_cloud(client):
        outcome.error = (
            f"Temporal Cloud has search attributes created by its own command ({error.message}); "
            "whoever administers the namespace types this:"
        )
        outcome.commands = [cloud_command(client.namespace, wanted)]
        return
    outcome.error = (
        f"the server does not let you create search attributes ({error.message}); "
        "whoever operates it types this, on Temporal Cloud the last line only:"
    )
    outcome.commands = [*operator_commands(server, wanted), cloud_command(client.namespace, wanted)]


def _namespace_left_to_others(server: Server, client: Client, retention: timedelta, error: RPCError) -> _Outcome:
    written = written_retention(retention)
    why = f"the server does not let you look after namespace {client.namespace!r} ({error.message}); "
    words = ("operator", "namespace", "create", "-n", client.namespace, "--retention", written)
    return _Outcome(
        client.namespace,
        [],
        missing=list(NAMES),
        error=f"{why}whoever operates it types this, then `spine-temporal init`:",
        commands=[_retention_command(server, client, retention)]
        if is_cloud(client)
        else [_without_namespace(server).command(*words, program="temporal")],
    )


def _retention_command(server: Server, client: Client, retention: timedelta) -> str:
    if is_cloud(client):
        days = str(max(1, retention // timedelta(days=1)))
        words = ["tcld", "namespace", "retention", "set", "--namespace", client.namespace, "--retention-days", days]
        return shlex.join(words)
    words_ = ("operator", "namespace", "update", "-n", client.namespace, "--retention", written_retention(retention))
    return _without_namespace(server).command(*words_, program="temporal")


def _without_namespace(server: Server) -> Server:
    # It stands in the command already.
    return replace(server, namespace=None)


def _of_other_types(found: FoundAttributes) -> str:
    types = {each.name: each.type for each in TABLE}
    wrong = ", ".join(f"{name} as {type_} (it is {types[name]})" for name, type_ in found.of_other_types.items())
    return f"somebody created {wrong}; no run sets them; remove them, then `spine-temporal init` again"
