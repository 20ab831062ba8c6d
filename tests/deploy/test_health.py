"""What probes, scrapers and autoscalers are answered by a worker process, whatever happens to it."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.testing import dev_server
from tests.deploy.worker_process import WorkerProcess, write_agents
from tests.support.waiting import until

pytestmark = pytest.mark.durable

AGENTS = """\
import asyncio, ctypes, time
from pathlib import Path
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text

here = Path(__file__).parent.parent

@tool
async def wait() -> str:
    "Wait without holding anything."
    (here / "begun").touch()
    while not (here / "go on").exists():
        await asyncio.sleep(0.02)
    return "waited"

@tool
async def hold() -> str:
    "Hold the event loop."
    (here / "begun").touch()
    while not (here / "go on").exists():
        time.sleep(0.02)
    return "held"

@tool
async def keep() -> str:
    "Keep the interpreter."
    (here / "begun").touch()
    ctypes.PyDLL(None).sleep(6)
    (here / "let go").touch()
    return "kept"

waiter, holder, keeper = (
    Agent(ScriptedProvider(calls((each.name, {})), text("done")), tools=[each], name=f"{each.name}er")
    for each in (wait, hold, keep)
)
"""

type Start = Callable[..., Awaitable[WorkerProcess]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_agents(tmp_path / "project", AGENTS)


@pytest.fixture
def task_queue() -> str:
    return f"health-{uuid.uuid4().hex}"


@pytest_asyncio.fixture
async def start(client: Client, project: Path, task_queue: str) -> AsyncIterator[Start]:
    started: list[WorkerProcess] = []

    async def begin(**settings: str) -> WorkerProcess:
        given = {
            "SPINE_TEMPORAL_PROJECT": str(project),
            "SPINE_TEMPORAL_TASK_QUEUE": task_queue,
            "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        }
        started.append(await WorkerProcess.start("agent_worker.py", given | settings))
        return started[-1]

    yield begin
    for each in started:
        await each.kill()


async def begun(client: Client, task_queue: str, project: Path, agent: str) -> DurableAgent:
    """An agent whose tool is at work."""
    durable = DurableAgent(agent, client, task_queue=task_queue, session_ttl_s=0)
    await durable.start("go")
    await until((project / "begun").exists, "the tool")
    return durable


async def test_worker_is_ready_once_it_polls_and_no_more_once_it_is_to_end(
    client: Client, start: Start, project: Path, task_queue: str
) -> None:
    worker = await start()
    ready = await worker.answers("/readyz", 200)
    await begun(client, task_queue, project, "waiter")

    worker.process.terminate()

    draining = await worker.answers("/readyz", 503)
    alive = await worker.get("/livez")
    (project / "go on").touch()
    assert ready == {"status": "ok", "agents": ["holder", "keeper", "waiter"], "task_queue": task_queue}
    assert draining["reason"] == "it finishes what it has in hand, and takes nothing new"
    assert alive == (200, {"status": "ok", "phase": "draining"})
    assert await worker.ended() == 0


async def test_tool_that_holds_the_loop_for_too_long_fails_livez_and_counts_as_work(
    client: Client, start: Start, project: Path, task_queue: str
) -> None:
    worker = await start(SPINE_TEMPORAL_LOOP_HELD_S="1")
    await worker.answers("/readyz", 200)
    await begun(client, task_queue, project, "holder")

    failed = await worker.answers("/livez", 503)
    held = await until(lambda: in_hand(worker, task_queue, 1), "the tool in the scale signal")
    (project / "go on").touch()

    assert "the event loop has not turned for" in failed["reason"]
    assert held == {"value": 1, "backlog": 0, "in_hand": 1}
    assert await worker.answers("/livez", 200) == {"status": "ok", "phase": "serving"}
    assert await until(lambda: in_hand(worker, task_queue, 0), "a scale signal of nothing")


async def in_hand(worker: WorkerProcess, task_queue: str, count: int) -> object:
    status, content = await worker.get(f"/scale/{task_queue}")
    return content if status == 200 and content["in_hand"] == count else None


async def test_probe_gets_no_answer_while_a_tool_keeps_the_interpreter(
    client: Client, start: Start, project: Path, task_queue: str
) -> None:
    worker = await start()
    await worker.answers("/readyz", 200)
    await begun(client, task_queue, project, "keeper")

    async def unanswered() -> bool:
        return (await worker.get("/livez", timeout_s=1))[0] == 0

    await until(unanswered, "a probe without an answer")
    assert not (project / "let go").exists()


async def test_server_that_is_away_leaves_livez_as_it_is(start: Start) -> None:
    async with dev_server() as server:
        worker = await start(TEMPORAL_ADDRESS=server.address)
        await worker.answers("/readyz", 200)
        await server.kill()

        away = await worker.answers("/scale/spine", 503)

        assert "the server" in away["reason"]
        assert await worker.get("/livez") == (200, {"status": "ok", "phase": "serving"})
        await server.restart()


async def test_metrics_are_those_of_the_core_of_this_process(start: Start) -> None:
    worker = await start()
    await worker.answers("/readyz", 200)

    async def polling() -> str | None:
        metrics = str(await worker.answers("/metrics", 200))
        return metrics if "temporal_num_pollers" in metrics else None

    assert "temporal_worker_start_total" in str(await until(polling, "the pollers in the metrics"))


async def test_address_that_is_in_use_is_named_before_anything_is_served(start: Start) -> None:
    first = await start()
    await first.answers("/livez", 200)

    second = await start(SPINE_TEMPORAL_HEALTH_ADDRESS=f"127.0.0.1:{first.port}")

    assert await second.ended() == 1
    assert f"error: cannot listen at 127.0.0.1:{first.port} for health checks: Address" in second.lines[-1]


@pytest.mark.parametrize("times", [1, 2])
async def test_sigterm_ends_a_process_that_is_not_ready_yet(start: Start, project: Path, times: int) -> None:
    (project / "agents" / "slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(3600)\n")
    worker = await start()
    await worker.says("importing")
    assert await worker.get("/livez") == (200, {"status": "ok", "phase": "starting"})
    assert (await worker.get("/readyz"))[0] == 503
    assert (await worker.get("/scale/spine"))[1]["reason"] == "there is no connection to the server yet"

    for _ in range(times):
        worker.process.send_signal(signal.SIGTERM)

    assert await worker.ended() == 0


async def test_sigterm_is_heeded_while_a_tool_holds_the_loop(
    client: Client, start: Start, project: Path, task_queue: str
) -> None:
    worker = await start(SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S="60")
    await worker.answers("/readyz", 200)
    await begun(client, task_queue, project, "holder")

    worker.process.terminate()
    await worker.answers("/readyz", 503)
    worker.process.terminate()

    # A second signal is an impatient one.
    assert await worker.ended() == 1


async def test_many_clients_are_answered_at_once(start: Start) -> None:
    worker = await start()
    await worker.answers("/readyz", 200)

    answers = await asyncio.gather(*(worker.get("/livez") for _ in range(200)))

    assert {status for status, _ in answers} == {200}
