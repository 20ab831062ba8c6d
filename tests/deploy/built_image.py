"""Builds the image and runs an agent in it, durably: python -m tests.deploy.built_image [ARGUMENT_OF_THE_BUILD...].

With whichever of docker, podman and buildah works here. `make image` calls it.
"""

import asyncio
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spine_temporal import DurableAgent
from spine_temporal.testing import dev_server
from tests.deploy.repository import DOCKERFILE, ROOT, SAMPLE

_IMAGE: Final = "spine-temporal-worker"
_QUEUE: Final = "image"
_READY_S: Final = 120.0
_ENDS_S: Final = 60.0
# As the compose file runs it.
_HARDENED: Final = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@dataclass(frozen=True)
class Engine:
    """A program that builds images and runs containers."""

    name: str

    @classmethod
    def found(cls) -> "Engine":
        """The first that works here; docker's command alone, without its daemon, does not."""
        for name in ("docker", "podman", "buildah"):
            if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
                return cls(name)
        sys.exit("error: neither docker, podman nor buildah works here; on Debian: apt-get install buildah")

    def build(self, arguments: Sequence[str]) -> None:
        """Build the image."""
        command = [self.name, "build", "--file", str(DOCKERFILE), "--tag", _IMAGE, *arguments, str(ROOT)]
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"error: {self.name} could not build the image; see above")

    def running(self, settings: Mapping[str, str]) -> list[str]:
        """The command that runs the worker of the image, with the sample as its project."""
        common = [f"--env={name}={value}" for name, value in settings.items()]
        common += [f"--volume={SAMPLE}:/project:ro"]
        if self.name != "buildah":
            return [self.name, "run", "--rm", "--network=host", *_HARDENED, *common, _IMAGE]
        made = subprocess.run(["buildah", "from", _IMAGE], capture_output=True, text=True, check=True)
        # It runs the image's files as the image's user, but knows no entry point.
        worker = ["--", "python", "/app/workers/agent_worker.py"]
        return ["buildah", "run", "--network=host", *common, made.stdout.strip(), *worker]


async def main(arguments: Sequence[str]) -> None:
    """Build, run a worker in the image, have its agent answer, end it."""
    engine = Engine.found()
    engine.build(arguments)
    async with dev_server() as server:
        settings = {"TEMPORAL_ADDRESS": server.address, "SPINE_TEMPORAL_TASK_QUEUE": _QUEUE}
        worker = await asyncio.create_subprocess_exec(*engine.running(settings), stderr=PIPE)
        try:
            async with asyncio.timeout(_READY_S):
                await _until_ready(worker)
            agent = DurableAgent("assistant", server.client, task_queue=_QUEUE)
            result = await agent.run("which modules pickle objects?")
        finally:
            if worker.returncode is None:
                worker.terminate()
            async with asyncio.timeout(_ENDS_S):
                code = await worker.wait()
    print(f"{result.answer}\n\nbuilt and run by {engine.name}; the worker ended with {code}")
    if not result.ok:
        sys.exit(f"error: the agent stopped with {result.stopped_reason}: {result.error}")


async def _until_ready(worker: asyncio.subprocess.Process) -> None:
    assert worker.stderr is not None
    async for line in worker.stderr:
        sys.stderr.write(line.decode(errors="replace"))
        if b"worker ready" in line:
            return
    sys.exit("error: the worker in the image ended by itself; see above")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
