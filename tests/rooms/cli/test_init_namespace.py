"""`spine-temporal init --retention`: a namespace, created where it is missing, compared where it is there."""

import asyncio
import json
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.contracts.search_attributes import NAMES
from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.rooms.cli.command import CommandLine
from tests.support.proxy.grpc_proxy import Call, GrpcProxy

pytestmark = pytest.mark.durable


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[TestServer]:
    # Stock, a server's parts learn of a new namespace within ten seconds.
    async with dev_server(dynamic_config={"system.namespaceCacheRefreshInterval": "1s"}) as server:
        yield server


async def retention_days(server: TestServer, namespace: str) -> float:
    request = DescribeNamespaceRequest(namespace=namespace)
    described = await server.client.workflow_service.describe_namespace(request)
    return float(described.config.workflow_execution_retention_ttl.ToTimedelta().days)


async def test_a_namespace_that_is_missing_is_created_with_its_attributes_and_a_second_time_nothing(
    server: TestServer,
) -> None:
    async with CommandLine(server.address, "q") as command:
        first = await command("init", "--namespace", "otters", "--retention", "7d", "--json")
        again = await command("init", "--namespace", "otters", "--retention", "168h", "--json")

    created, found = json.loads(first.out), json.loads(again.out)
    assert (first.code, again.code) == (Exit.DONE, Exit.DONE), first.err
    assert (created["namespace_created"], created["retention"], created["created"]) == (True, "7d", list(NAMES))
    assert (found["namespace_created"], found["retention"], found["created"]) == (False, "7d", [])
    assert await retention_days(server, "otters") == 7


async def test_another_retention_is_reported_and_left_as_it_is(server: TestServer) -> None:
    async with CommandLine(server.address, "q") as command:
        await command("init", "--namespace", "beavers", "--retention", "2d")
        drifted = await command("init", "--namespace", "beavers", "--retention", "30d")
        unasked = await command("init", "--namespace", "beavers")

    assert (drifted.code, unasked.code) == (Exit.BAD_USAGE, Exit.DONE)
    assert "keeps closed runs for 2d, not for 30d; nothing was changed" in drifted.err
    assert drifted.out.splitlines()[-1] == "temporal operator namespace update -n beavers --retention 30d"
    assert await retention_days(server, "beavers") == 2


async def test_two_at_once_both_succeed(server: TestServer) -> None:
    async with CommandLine(server.address, "q") as command:
        both = await asyncio.gather(
            *(command("init", "--namespace", "voles", "--retention", "3d", "--json") for _ in range(2))
        )

    assert [each.code for each in both] == [Exit.DONE, Exit.DONE], [each.err for each in both]
    assert await retention_days(server, "voles") == 3


async def test_who_may_not_create_it_is_given_the_line_for_whoever_may(server: TestServer) -> None:
    async def meddle(call: Call) -> bytes:
        denied = call.method == "RegisterNamespace"
        return await (call.refuse("not for you", grpc.StatusCode.PERMISSION_DENIED) if denied else call.forward())

    async with GrpcProxy(server.address, meddle) as proxy, CommandLine(proxy.address, "q") as command:
        done = await command("init", "--namespace", "newts", "--retention", "72h")

    assert (done.code, "not for you" in done.err) == (Exit.BAD_USAGE, True)
    assert done.out == "temporal operator namespace create -n newts --retention 3d\n"


@pytest.mark.parametrize("text", ["7", "0d", "a week", "-1d", "1w"])
async def test_what_is_no_retention_is_bad_usage(server: TestServer, text: str) -> None:
    async with CommandLine(server.address, "q") as command:
        done = await command("init", f"--retention={text}")

    assert (done.code, "7d or 72h" in done.err) == (Exit.BAD_USAGE, True)
