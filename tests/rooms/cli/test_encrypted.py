"""The command line reads encrypted runs with the settings of the worker, and says what is missing without them."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from spine_temporal.encryption import KeyRing, new_key
from spine_temporal.testing import dev_server
from tests.rooms.cli.command import CommandLine
from tests.support.waiting import until

pytestmark = pytest.mark.durable

FIRST, SECOND = new_key("first"), new_key("second")


@pytest_asyncio.fixture
async def command() -> AsyncIterator[CommandLine]:
    """With a server of its own: doctor looks at all runs of one."""
    async with dev_server() as server, CommandLine(server.address, f"test-{uuid.uuid4().hex}") as line:
        yield line


async def test_commands_read_the_runs_of_a_worker_with_the_same_settings(command: CommandLine, tmp_path: Path) -> None:
    keys, others = tmp_path / "keys", tmp_path / "others"
    keys.write_text(FIRST)
    others.write_text(SECOND)
    ours, wrong = {"SPINE_TEMPORAL_KEY_FILE": str(keys)}, {"SPINE_TEMPORAL_KEY_FILE": str(others)}
    worker = await command.start("worker", *command.queue, environment=ours)
    await worker.says("worker ready")

    run = await command("run", "clerk", "hello otter", "--session", "s", *command.queue, environment=ours)
    shown = await command("show", "s", environment=ours)
    listed = await command("list", environment={"SPINE_TEMPORAL_KEYS": FIRST})
    approvals = await command("approvals", environment=ours)

    assert (run.code, shown.code, listed.code, approvals.code) == (0, 0, 0, 0), run.err + shown.err + listed.err
    assert "hello otter" in shown.out
    assert "hello otter" in listed.out

    bare, mistaken = await command("show", "s"), await command("show", "s", environment=wrong)
    assert (bare.code, mistaken.code) == (1, 1)
    assert "there is no codec here that reads it; set SPINE_TEMPORAL_KEYS" in bare.err
    assert "encrypted with key 'first', which is not among the keys here ('second'" in mistaken.err
    assert "hello otter" not in bare.out + bare.err + mistaken.out + mistaken.err

    well, lacking = await findings(command, ours), await findings(command, {})
    assert well["codec"] == ("ok", "AES-256-GCM, key 'first' writes, 1 key read")
    assert "encrypted runs" not in well
    assert lacking["encrypted runs"][0] == "fix"
    assert "encrypted with key 'first'" in (await findings(command, wrong))["encrypted runs"][1]


@pytest.mark.parametrize("attributes", [True, False], ids=["attributes", "none"])
async def test_what_waits_is_not_nothing_because_it_cannot_be_read(attributes: bool) -> None:
    async with (
        dev_server(spine_attributes=attributes) as server,
        CommandLine(server.address, f"test-{uuid.uuid4().hex}") as command,
    ):
        ours = {"SPINE_TEMPORAL_KEYS": FIRST}
        worker = await command.start("worker", *command.queue, environment=ours)
        await worker.says("worker ready")
        await command("run", "cashier", "pay", "--session", "s", *command.queue, environment=ours)
        await until(lambda: _waits(command, ours), "the approval")

        done = await command("approvals", environment={"SPINE_TEMPORAL_KEYS": SECOND})

    assert (done.code, done.out) == (0, "")
    assert "1 run could not be read" in done.err
    assert "encrypted with key 'first'" in done.err


async def _waits(command: CommandLine, environment: dict[str, str]) -> bool:
    return bool(json.loads((await command("approvals", "--json", environment=environment)).out))


async def findings(command: CommandLine, environment: dict[str, str]) -> dict[str, tuple[str, str]]:
    done = await command("doctor", "--json", *command.queue, environment=environment)
    return {each["what"]: (each["level"], each["text"]) for each in json.loads(done.out)}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SPINE_TEMPORAL_KEY_FILE": "/no/such/file"}, "key file /no/such/file cannot be read"),
        ({"SPINE_TEMPORAL_KEYS": FIRST[:-5]}, "is not 32 bytes in base64"),
        ({"SPINE_TEMPORAL_KEYS": FIRST, "SPINE_TEMPORAL_KEY_FILE": "x"}, "are set; keep one of them"),
    ],
    ids=["no file", "cut off", "two"],
)
async def test_keys_that_cannot_be_used_are_an_error_before_anything_is_sent(
    command: CommandLine, environment: dict[str, str], said: str
) -> None:
    done = await command("run", "clerk", "hello", *command.queue, environment=environment)
    found = await findings(command, environment)

    assert done.code == 2
    assert said in done.err
    assert found["keys"][0] == "fix"
    assert said in found["keys"][1]
    assert FIRST.partition(":")[2][:9] not in done.err + done.out


async def test_new_keys_can_be_made(command: CommandLine) -> None:
    made, named = await command("key", "new"), await command("key", "new", "--id", "mine")

    assert KeyRing.parse(made.out + named.out, "here").keys.keys() >= {"mine"}
    assert (await command("key", "new", "--id", "a b")).code == 2
