"""A worker for a project whose agents are made of plugins that nobody changed for us."""

import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from spine_core import StopReason
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.rooms.cli.command import CommandLine
from tests.rooms.plugins.acme import KEY, Acme, acme_at_work
from tests.rooms.plugins.installing import install
from tests.support.harness import history_of, replay
from tests.support.soak import in_soak

pytestmark = pytest.mark.durable

SPINE_TOML = """\
[spine]
name = "described"
default_model = "acme:some-model"
system = "calculate"

[spine.guards]
max_steps = 9

[spine.middleware]
chain = ["Stopwatch", "Retry"]

[spine.backends]
checkpoint = "folder"
memory = "notes"

[spine.plugins.Stopwatch]
key = "timed"

[spine.plugins.folder]
folder = "${STORE}"

[spine.plugins.notes]
file = "${STORE}/notes.jsonl"
"""
TOOLS = """\
from spine_adapter_abacus import Abacus

plus, times = Abacus().tools()
"""
FROM_CODE = """\
from spine_backend_folder import FolderCheckpoint
from spine_core import Agent
from spine_mw_stopwatch import Stopwatch

from tools import plus, times

agent = Agent(
    "acme:some-model",
    tools=[plus, times],
    system="calculate",
    middleware=[Stopwatch(key="timed")],
    checkpoint=FolderCheckpoint("store"),
)
"""


@pytest.fixture
def acme() -> Iterator[Acme]:
    with acme_at_work() as acme:
        yield acme


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in {"spine.toml": SPINE_TOML, "tools/__init__.py": TOOLS, "agents/coded.py": FROM_CODE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest_asyncio.fixture
async def command(client: Client) -> AsyncIterator[CommandLine]:
    async with CommandLine(client.service_client.config.target_host, f"plugins-{uuid.uuid4().hex}") as command:
        yield command


@pytest.mark.parametrize("name", [in_soak("described"), "coded"])
async def test_a_run_of_plugins_survives_the_kill_of_its_worker_and_tells_which_served_it(
    client: Client, command: CommandLine, acme: Acme, project: Path, site: Path, tmp_path: Path, name: str
) -> None:
    environment = {"PYTHONPATH": str(site), "STORE": str(project / "store"), **acme.environment}
    newer = install(tmp_path / "newer", ["spine-mw-stopwatch"], version="1.1.0")
    first = await command.start("worker", *command.queue, cwd=project, environment=environment)
    session = uuid.uuid4().hex
    run = await DurableAgent(name, client, task_queue=command.queue[1]).start("calculate", session_id=session)
    await asyncio.to_thread(acme.at_the_second.wait, 60)
    assert await first.ended(signal.SIGKILL) == -signal.SIGKILL

    await command.start(
        "worker", *command.queue, cwd=project, environment=environment | {"PYTHONPATH": f"{newer}:{site}"}
    )
    acme.go_on.set()
    result = await run.result()

    assert (result.stopped_reason, result.answer) == (StopReason.FINAL, "it is 35")
    assert result.state.scratch["timed"] == {"calls": 3, "slow": 0}
    assert [tool["name"] for tool in acme.asked[0]["tools"]] == ["plus", "times"]
    stored = [file.read_text() for file in (project / "store").glob("*.json")]
    assert [json.loads(text)["messages"][-1]["content"] for text in stored] == ["it is 35"]
    if name == "described":
        assert "Q: calculate\\nA: it is 35" in (project / "store" / "notes.jsonl").read_text()
    history = await history_of(client, run)
    assert KEY.encode() not in b"".join(event.SerializeToString() for event in history.events)
    await replay(history)
    shown = (await command("show", session)).out
    opened = "spine-adapter-abacus 1.0.0, spine-backend-folder 1.0.0, spine-mw-stopwatch 1.0.0"
    assert f"  opened with {opened}, spine-provider-acme 1.0.0, spine-temporal 0.1.0, spinekit 0.3.0" in shown
    assert "step 2: spine-mw-stopwatch 1.1.0, 1.0.0 before" in shown
    told = json.loads((await command("show", session, "--json")).out)
    assert told["plugins"]["spine-mw-stopwatch"] == "1.1.0"
    assert [move["step"] for move in told["moves"]] == [2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"Stopwatch", ', '"Stopwtach", '), "no plugin registers middleware 'Stopwtach'; did you mean 'Stopwatch'?"),
        (('key = "timed"', "kee = 1"), "[spine.plugins.Stopwatch]: Stopwatch.__init__() got an unexpected keyword"),
        (("max_steps = 9", 'max_steps = "many"'), "guards.max_steps: Input should be a valid integer"),
        (("${STORE}", "${NOWHERE}"), "environment variable 'NOWHERE' referenced in spine.toml is unset"),
        (
            ('default_model = "acme:', 'default_model = "akme:'),
            "no plugin registers scheme 'akme'; did you mean 'acme'?",
        ),
        (
            ('"Retry"]', '"Antique"]'),
            "spine-mw-antique 1.0.0 works with spinekit<0.3,>=0.1, installed is spinekit 0.3.0",
        ),
        (('"Retry"]', '"MemoryRecall"]\n[spine.x'), "not valid TOML"),
        (('memory = "notes"', 'memory = "notse"'), "no plugin registers memory 'notse'; did you mean 'notes'?"),
    ],
)
async def test_a_project_that_cannot_run_says_so_in_one_line_and_starts_nothing(
    client: Client, command: CommandLine, acme: Acme, project: Path, site: Path, change: tuple[str, str], said: str
) -> None:
    (project / "spine.toml").write_text(SPINE_TOML.replace(*change))
    environment = {"PYTHONPATH": str(site), "STORE": str(project / "store"), **acme.environment}

    done = await command("worker", *command.queue, "--project", str(project), environment=environment)

    *logged, error = done.err.splitlines()
    assert done.code == 2
    assert error.startswith(f"error: {project / 'spine.toml'}: ")
    assert said in error
    assert all("mw_broken" in line for line in logged)
    assert not (project / "store").exists()
    assert not acme.asked
