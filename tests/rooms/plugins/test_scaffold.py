"""What `spine init` makes runs unchanged."""

import asyncio
import uuid
from pathlib import Path

import pytest
from spine_cli.templates import render
from starlette.applications import Starlette
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.features.providers.hiring import ANTHROPIC
from tests.rooms.cli.command import CommandLine
from tests.support.services.web import serving

pytestmark = pytest.mark.durable


async def test_both_agents_of_a_fresh_scaffold_answer(client: Client, tmp_path: Path) -> None:
    for name, text in render("demo").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    ANTHROPIC.api.forget()
    with serving(Starlette(routes=[ANTHROPIC.api.route])) as url:
        environment = {ANTHROPIC.url_variable: url, ANTHROPIC.key_variable: ANTHROPIC.api.key, "NO_PROXY": "127.0.0.1"}
        queue = f"scaffold-{uuid.uuid4().hex}"
        async with CommandLine(client.service_client.config.target_host, queue) as command:
            await command.start("worker", *command.queue, cwd=tmp_path, environment=environment)
            agents = [DurableAgent(name, client, task_queue=queue) for name in ("assistant", "default")]

            results = await asyncio.gather(*[agent.run("hello") for agent in agents])

    assert [result.stopped_reason for result in results] == ["final", "final"]
    assert {tuple(asked.tools) for asked in ANTHROPIC.api.asked} == {("echo",)}
    assert {result.answer for result in results} != {None}
