"""`spine-temporal init`: the search attributes of a namespace, created or asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from temporalio.client import Client

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.init import cloud_command
from spine_temporal.connection.search_attributes import look, missing
from spine_temporal.connection.web_ui import is_cloud
from spine_temporal.contracts.search_attributes import NAMES, TABLE
from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.rooms.cli.command import PROJECT, CommandLine
from tests.support.proxy.grpc_proxy import Call, GrpcProxy
from tests.support.waiting import until

pytestmark = pytest.mark.durable

_DENIED = [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAUTHENTICATED]


@asynccontextmanager
async def restricted(
    server: TestServer, *methods: str, status: grpc.StatusCode = grpc.StatusCode.PERMISSION_DENIED
) -> AsyncIterator[CommandLine]:
    """The command, at a server that does not let it call these methods."""

    async def meddle(call: Call) -> bytes:
        return await (call.refuse("not for you", status) if call.method in methods else call.forward())

    async with GrpcProxy(server.address, meddle) as proxy, CommandLine(proxy.address, "nobody-polls") as command:
        yield command


async def test_it_creates_what_is_missing_and_nothing_twice() -> None:
    async with (
        dev_server(search_attributes={"SpineStatus": "Keyword"}, spine_attributes=False) as server,
        CommandLine(server.address, "q") as command,
    ):
        first = await command("init", "--json")
        again = await command("init", "--json")
        said = await command("init")
        left = await missing(server.client)

    assert (first.code, again.code, said.code) == (Exit.DONE, Exit.DONE, Exit.DONE), first.err
    assert (json.loads(first.out)["there"], json.loads(first.out)["created"]) == (["SpineStatus"], list(NAMES[1:]))
    assert (json.loads(again.out)["there"], json.loads(again.out)["created"]) == (list(NAMES), [])
    assert said.out == "namespace 'default' has the search attributes of spine-temporal\n"
    assert left == []


async def test_two_at_once_both_succeed() -> None:
    async with dev_server(spine_attributes=False) as server, CommandLine(server.address, "q") as command:
        both = await asyncio.gather(command("init"), command("init"))

    assert [done.code for done in both] == [Exit.DONE, Exit.DONE], both


@pytest.mark.parametrize("status", _DENIED, ids=lambda status: status.name.lower())
async def test_where_it_may_not_it_prints_what_an_operator_types(status: grpc.StatusCode) -> None:
    async with (
        dev_server(search_attributes={"SpineStatus": "Keyword"}, spine_attributes=False) as server,
        restricted(server, "ListSearchAttributes", "AddSearchAttributes", status=status) as command,
    ):
        refused = await command("init")
        told = json.loads((await command("init", "--json")).out)

    assert refused.code == Exit.BAD_USAGE
    assert refused.err.count("\n") == 1
    assert refused.err.startswith("error: the server does not let you create search attributes (not for you); ")
    *each, cloud = refused.out.splitlines()
    assert each[0] == "temporal operator search-attribute create --name SpineAgent --type Keyword"
    assert len(each) == len(NAMES) - 1
    assert cloud == cloud_command("default", NAMES[1:])
    assert (told["there"], told["missing"], told["commands"]) == (["SpineStatus"], list(NAMES[1:]), [*each, cloud])


def test_temporal_clouds_command_names_each_with_its_type() -> None:
    assert cloud_command("shop.a1b2c", ["SpineAgent", "SpineCostUsd"]) == (
        "tcld namespace search-attributes add --namespace shop.a1b2c "
        "--search-attribute SpineAgent=Keyword --search-attribute SpineCostUsd=Double"
    )


async def test_without_permission_to_list_what_is_there_is_found_all_the_same() -> None:
    async with dev_server() as server, restricted(server, "ListSearchAttributes") as command:
        done = await command("init")
        found = await look(await Client.connect(command.address))

    assert (done.code, done.err) == (Exit.DONE, "")
    assert (found.there, found.listed, found.why) == (NAMES, False, "not for you")


async def test_an_attribute_of_another_type_is_named_and_the_others_are_created() -> None:
    async with (
        dev_server(search_attributes={"SpineStep": "Keyword"}, spine_attributes=False) as server,
        CommandLine(server.address, "q") as command,
    ):
        done, health = await command("init"), await command("doctor", "--json")
        left = await missing(server.client)

    assert done.code == Exit.BAD_USAGE
    assert "SpineStep as Keyword (it is Int)" in done.err
    assert done.out == "temporal operator search-attribute remove --name SpineStep\n"
    assert left == ["SpineStep"]
    (finding,) = [each for each in json.loads(health.out) if each["what"] == "search attributes"]
    assert finding["level"] == "note"
    assert "SpineStep as Keyword" in finding["text"]


async def test_a_server_without_room_for_all_gets_those_that_find_room() -> None:
    taken = {f"Theirs{number}": "Keyword" for number in range(6)}
    async with (
        dev_server(search_attributes=taken, spine_attributes=False) as server,
        CommandLine(server.address, "q") as command,
    ):
        done = await command("init", "--json")
        left = await missing(server.client)

    told = json.loads(done.out)
    assert done.code == Exit.BAD_USAGE
    assert "10" in told["error"]
    assert left == told["missing"] == ["SpineStopReason", "SpineParent"]


@pytest.mark.parametrize("have", [dict[str, str](), {each.name: each.type for each in TABLE}], ids=["none", "all"])
async def test_doctor_says_what_is_missing_whether_or_not_it_may_list_them(have: dict[str, str]) -> None:
    async with (
        dev_server(search_attributes=have, spine_attributes=False) as server,
        CommandLine(server.address, "q") as free,
        restricted(server, "ListSearchAttributes") as command,
    ):
        findings = [
            next(each for each in json.loads(done.out) if each["what"] == "search attributes")
            for done in (await free("doctor", "--json"), await command("doctor", "--json"))
        ]

    assert [each["level"] for each in findings] == (["ok", "ok"] if have else ["note", "note"])
    assert ["spine-temporal init" in each["fix"] for each in findings] == [not have, not have]
    assert ["not be listed: not for you" in each["text"] for each in findings] == [False, True]


async def test_a_worker_that_may_not_list_them_sets_what_the_server_has() -> None:
    async with dev_server() as server, restricted(server, "ListSearchAttributes") as command:
        worker = await command.start("worker", *command.queue)
        await worker.says("worker ready")
        await command("run", "clerk", "1 + 2?", "--session", "found", *command.queue)

        async def is_found() -> int:
            return (await server.client.count_workflows("SpineSession = 'found' AND SpineStatus = 'idle'")).count

        await until(is_found, "the run by its attributes")
        rows = json.loads((await command("list", "--agent", "clerk", "--json")).out)

    assert [row["session_id"] for row in rows] == ["found"]


async def test_who_may_neither_list_attributes_nor_runs_can_work_all_the_same() -> None:
    methods = ("ListSearchAttributes", "CountWorkflowExecutions")
    async with dev_server() as server, restricted(server, *methods) as command:
        worker = await command.start("worker", *command.queue)
        await worker.says("worker ready")
        done = await command("run", "clerk", "1 + 2?", *command.queue)
        health = await command("doctor", *command.queue)
        created = await command("init")

    assert (done.code, done.out) == (Exit.DONE, "It is 3.\n")
    assert "note  search attributes  whether they are there cannot be asked: not for you" in health.out
    assert created.code == Exit.BAD_USAGE
    assert created.err.startswith("error: the server does not let you create search attributes (not for you); ")
    assert created.out.splitlines()[-1] == cloud_command("default", NAMES)


async def test_temporal_cloud_is_known_by_its_address() -> None:
    hosts = [
        "shop.a1b2c.tmprl.cloud:7233",
        "eu-west-1.aws.api.temporal.io:7233",
        "localhost:7233",
        "tmprl.cloud.example:1",
    ]
    clients = [await Client.connect(host, lazy=True) for host in hosts]

    assert [is_cloud(client) for client in clients] == [True, True, False, False]


async def test_doctor_goes_on_where_it_may_not_look() -> None:
    async with dev_server() as server, restricted(server, "DescribeTaskQueue", "ListWorkflowExecutions") as command:
        done = await command("doctor", "--json")

    found = {each["what"]: (each["level"], each["text"]) for each in json.loads(done.out)}
    assert found["task queue"] == found["codec"] == ("note", "it cannot be looked at: not for you")
    assert "interpreter" in found


async def test_a_worker_that_may_not_ask_for_its_namespace_says_so_in_a_line() -> None:
    script = Path(__file__).parents[3] / "workers" / "agent_worker.py"
    async with dev_server() as server, restricted(server, "DescribeNamespace") as command:
        worker = await command.start_python(
            f"import runpy; runpy.run_path({str(script)!r}, None, '__main__')", cwd=PROJECT
        )
        code = await worker.ended()

    assert code == 1
    assert worker.lines[-1].startswith(
        f"error: the server at {command.address} refuses to say whether it has namespace"
    )
    assert "Traceback" not in "".join(worker.lines)
