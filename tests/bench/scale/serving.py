"""A worker as it is deployed: it ends on SIGTERM, and what it had in hand goes on elsewhere."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from spine_core import Agent, Guards, Message, ModelResponse, ToolCall, tool

from spine_temporal.worker.process import run_worker_process

AGENT = "clerk"
_MODEL_S = 0.05
_TOOL_S = 0.1
_GRACEFUL_SHUTDOWN_S = 5.0

notes: list[Path] = []


class Clerk:
    """Answers at once; a number is how often it calls the tool before."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        await asyncio.sleep(_MODEL_S)
        last = max(at for at, message in enumerate(messages) if message.role == "user")
        asked, done = str(messages[last].content), sum(message.role == "tool" for message in messages[last:])
        name, calls = asked.partition(" ")[::2]
        if not calls.isdecimal() or done == int(calls):
            return ModelResponse(message=Message.assistant("done"))
        arguments: dict[str, Any] = {"effect": f"{name} {done}"}
        call = ToolCall(id=f"call_{len(messages)}", name="note", arguments=arguments)
        return ModelResponse(message=Message.assistant(None, [call]))


@tool
async def note(effect: str) -> str:
    """Have an effect, then take a moment for what comes after."""
    with notes[0].open("a") as file:
        file.write(f"{effect}\n")
    await asyncio.sleep(_TOOL_S)
    return "noted"


agent = Agent(Clerk(), tools=[note], guards=Guards(max_steps=None), name=AGENT)

if __name__ == "__main__":
    address, task_queue, effects, number = sys.argv[1:]
    notes.append(Path(effects))
    sys.modules["tests.bench.scale.serving"] = sys.modules["__main__"]
    run_worker_process(
        Path(effects).parent,
        agents=["tests.bench.scale.serving:agent"],
        task_queue=task_queue,
        connection={"address": address},
        graceful_shutdown_s=_GRACEFUL_SHUTDOWN_S,
        identity=f"scale-{number}",
    )
