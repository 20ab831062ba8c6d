"""`spine-temporal replay`: whether this version can go on with recorded runs."""

import json
from pathlib import Path

import pytest

from spine_temporal import __version__
from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine

pytestmark = pytest.mark.durable

RECORDED = Path(__file__).parents[2] / "replay" / "histories" / __version__ / "approvals.json"


def broken(folder: Path, found: str) -> Path:
    """The recorded history, as another version would have made it."""
    history = json.loads(RECORDED.read_text())
    scheduled = [event.get("activityTaskScheduledEventAttributes") for event in history["events"]]
    first = next(each for each in scheduled if each is not None and each["activityType"]["name"] == "spine.tool")
    first["activityType"]["name"] = found
    path = folder / "broken.json"
    path.write_text(json.dumps(history))
    return path


async def test_files_are_replayed_and_the_report_says_where_one_does_not(command: CommandLine, tmp_path: Path) -> None:
    path = broken(tmp_path, "spine.end")

    good = await command("replay", str(RECORDED))
    bad = await command("replay", str(RECORDED), str(path))
    told = await command("replay", str(path), "--json")

    assert (good.code, "yes" in good.out) == (Exit.DONE, True)
    assert (bad.code, "1 of 2 do not replay" in bad.err) == (Exit.NO_ANSWER, True)
    assert "'spine.end' does not match activity type of activity command 'spine.tool'" in " ".join(bad.out.split())
    [replayed] = json.loads(told.out)
    assert (told.code, replayed["workflow_id"], replayed["type"]) == (Exit.NO_ANSWER, "spine-approvals", "spine.agent")


async def test_those_of_the_server_are_found_by_a_query(command: CommandLine) -> None:
    await command("run", "clerk", "1 + 2?", "--session", "replayed", *command.queue)

    done = await command("replay", "--query", "WorkflowId = 'spine-replayed'", "--json")
    none = await command("replay", "--query", "WorkflowId = 'nobody'")

    [replayed] = json.loads(done.out)
    assert (done.code, replayed["workflow_id"], replayed["problem"]) == (Exit.DONE, "spine-replayed", None)
    assert (none.code, none.out) == (Exit.DONE, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "holds no workflow history in JSON"),
        ("[]", "holds no"),
        ('{"events": []}', "holds no"),
        (None, "holds no"),
    ],
    ids=["half", "a list", "no events", "no file"],
)
async def test_a_file_that_is_no_history_is_bad_usage(
    command: CommandLine, tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "history.json"
    if text is not None:
        path.write_text(text)

    done = await command("replay", str(path))

    assert (done.code, said in done.err) == (Exit.BAD_USAGE, True)


async def test_one_of_both_must_be_named(command: CommandLine) -> None:
    assert (await command("replay")).code == Exit.BAD_USAGE
    assert (await command("replay", str(RECORDED), "--query", "WorkflowId = 'x'")).code == Exit.BAD_USAGE
