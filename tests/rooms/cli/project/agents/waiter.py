"""Waits for a file, whose name is what the user says."""

import asyncio
from typing import Any

from anyio import Path
from spine_core import Agent, Message, ModelResponse, tool
from spine_core.testing import calls, text


@tool
async def wait(file: str) -> str:
    """Wait until the file exists."""
    await Path(f"{file}.begun").touch()
    while not await Path(file).exists():
        await asyncio.sleep(0.02)
    return "it exists"


class Patient:
    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        said = messages[-1]
        return calls(("wait", {"file": said.content})) if said.role == "user" else text("It is there.")


agent = Agent(Patient(), tools=[wait])
