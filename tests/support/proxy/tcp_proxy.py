"""A TCP proxy that can part two sides in the ways in which networks do."""

import asyncio
import contextlib
from collections.abc import Coroutine
from types import TracebackType
from typing import Final, Literal, Self

type Partition = Literal["refused", "half-open", "slow", "stalled"]

_CHUNK_BYTES: Final = 65_536


class TcpProxy:
    """A proxy at `address` in front of `target`; what passes is bytes, whatever they mean.

    - refuse: connections are cut, new ones are reset
    - half_open: new connections are accepted and nobody says anything; those there are fall silent
    - slow(s): every chunk is `s` seconds late
    - stall: what is there stops, and goes on after `heal`, nothing lost; so do connections made meanwhile
    - heal: everything passes; of a half-open time, the connections are cut
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._passing = asyncio.Event()
        self._passing.set()
        self._latency_s = 0.0
        self._refusing = self._silent = False
        self._tasks = set[asyncio.Task[None]]()
        self._writers = set[asyncio.StreamWriter]()
        self._server: asyncio.Server | None = None
        self.address = ""
        self.connections = 0
        """How many were made until now."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()

    def part(self, partition: Partition, *, latency_s: float = 0.0) -> None:
        """Part the two sides in that way."""
        match partition:
            case "refused":
                self._refusing = True
                self.cut()
            case "half-open":
                self._silent = True
                self._passing.clear()
            case "stalled":
                self._passing.clear()
            case "slow":
                self._latency_s = latency_s

    def heal(self) -> None:
        """Let everything pass."""
        if self._silent:
            self.cut()
        self._refusing = self._silent = False
        self._latency_s = 0.0
        self._passing.set()

    def cut(self) -> None:
        """Reset the connections that there are."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._begin(self._connect(reader, writer))

    def _begin(self, what: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not self._refusing:
                await self._join(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        with contextlib.suppress(OSError):
            there, to_there = await asyncio.open_connection(*self._target)
            self._writers.add(to_there)
            pumps = {self._begin(self._pump(reader, to_there)), self._begin(self._pump(there, writer))}
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                self._writers.discard(to_there)
                to_there.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()
