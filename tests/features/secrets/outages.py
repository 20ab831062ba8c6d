"""A codec that can be switched off, as one whose keys are in a service that is away."""

from collections.abc import Sequence
from pathlib import Path

from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from spine_temporal.encryption import EncryptionCodec, KeyRing
from tests.support.agents_at_hand import Gate


class ServiceDown(Exception):
    """Nobody can be asked for keys."""


class FarCodec(PayloadCodec):
    """Encrypts, while its service is up."""

    def __init__(self, ring: KeyRing, namespace: str) -> None:
        self.up = True
        self.refused = 0
        self._codec = EncryptionCodec(ring, namespace)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self._ask()
        return await self._codec.encode(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self._ask()
        return await self._codec.decode(payloads)

    def _ask(self) -> None:
        if not self.up:
            self.refused += 1
            raise ServiceDown("the key service does not answer")


class Paying:
    """An agent that pays once, at a gate."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.paid = 0

        @tool
        async def pay() -> str:
            """Pay the bill."""
            self.paid += 1
            await self.gate.pass_through()
            return "paid"

        self.agent = Agent(ScriptedProvider(calls(("pay", {})), text("done")), tools=[pay], name="payer")


def written(path: Path, *lines: str) -> None:
    """The file holds these lines from now on, all at once."""
    other = path.with_suffix(".new")
    other.write_text("\n".join(lines))
    other.replace(path)
