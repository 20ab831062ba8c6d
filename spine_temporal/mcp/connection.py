"""A connection to an MCP server that is made again when it is lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

import anyio

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp.types import CallToolResult, ListToolsResult

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 10.0
_PAUSES_S: Final = (0.1, 0.2, 0.5, 1.0)
_LOOK_AGAIN_S: Final = 2.0
# How mcp says that the server has forgotten the session (HTTP 404), and that the connection is closed.
_TERMINATED: Final = 32600
_CLOSED: Final = -32000


class _NotDone(Exception):
    """The server never got the call, or refused it unread."""


@dataclass(slots=True)
class _Live:
    """One connection, until it is lost."""

    session: "asyncio.Future[ClientSession]"
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """It is lost, or no longer wanted."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """It is closed, and `why` says why if it was lost."""
    why: BaseException | None = None


class Connection:
    """What spine's `MCPToolset` takes as its session: it connects when first asked, and again once it is lost.

    `transport` opens the streams to the server. A connection belongs to the event loop that it is first used in;
    it lives in a task of its own, so that any task may ask, or close it.
    """

    def __init__(
        self,
        where: str,
        transport: Callable[[], AbstractAsyncContextManager[tuple[Any, ...]]],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.where = where
        self._transport = transport
        self._changed = changed
        self._live: _Live | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._made = 0

    async def list_tools(self) -> "ListToolsResult":
        """The server's tools, as it has them now.

        Raises:
            ConnectionError: it cannot be reached, or is lost meanwhile.
        """
        return await self._asked(lambda session: session.list_tools())

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> "CallToolResult":
        """What a tool gives. A call that the server never got is made again, once.

        Raises:
            ConnectionError: the server cannot be reached, or is lost in the midst of the call.
        """
        return await self._asked(lambda session: session.call_tool(name, arguments))

    async def aclose(self) -> None:
        """Close the connection; a server that was started for it ends."""
        if self._live is not None:
            self._live.over.set()
        if self._task is not None:
            await asyncio.wait({self._task})
        self._live = self._task = None

    async def _asked[Answer](self, ask: "Callable[[ClientSession], Awaitable[Answer]]") -> Answer:
        live = await self._connected()
        try:
            return await _answer(live, ask, self.where)
        except _NotDone:
            live.over.set()
        live = await self._connected()
        try:
            return await _answer(live, ask, self.where)
        except _NotDone as error:
            raise ConnectionError(f"the MCP server {self.where} does not take the call: {error}") from error

    async def _connected(self) -> _Live:
        async with self._lock:
            if self._live is not None and not self._live.over.is_set():
                return self._live
            if self._task is not None:
                await asyncio.wait({self._task})
            live = await self._connect()
            again = self._made > 0
            self._made += 1
        if again:
            _log.warning("connected again to the MCP server %s", self.where)
            await self._changed()
        return live

    async def _connect(self) -> _Live:
        give_up_s = asyncio.get_running_loop().time() + _PATIENCE_S
        pauses_s = chain(_PAUSES_S, repeat(_PAUSES_S[-1]))
        while True:
            live = _Live(asyncio.get_running_loop().create_future())
            self._live, self._task = live, asyncio.create_task(self._keep(live))
            try:
                await live.session
            except ConnectionError as error:
                if asyncio.get_running_loop().time() > give_up_s:
                    raise ConnectionError(f"cannot connect to the MCP server {self.where}: {error}") from error
                await asyncio.sleep(next(pauses_s))
            else:
                return live

    async def _keep(self, live: _Live) -> None:
        """Hold the connection open until it is over: what was entered in a task can only be left in that task."""
        from mcp import ClientSession

        try:
            async with AsyncExitStack() as stack:
                read, write, *_ = await stack.enter_async_context(self._transport())
                heard = await stack.enter_async_context(_noticing_the_end(read, live.over))
                session = await stack.enter_async_context(ClientSession(heard, write, message_handler=self._heard))
                await session.initialize()
                live.session.set_result(session)
                await live.over.wait()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the transport's tasks may raise anything
            live.why = _innermost(error)
        finally:
            live.over.set()
            live.ended.set()
            if not live.session.done():
                live.session.set_exception(ConnectionError(str(live.why or "it closed the connection")))

    async def _heard(self, message: object) -> None:
        root = getattr(message, "root", None)
        if getattr(root, "method", None) == "notifications/tools/list_changed":
            task = asyncio.create_task(_logged(self._changed()))
            _refreshing.add(task)
            task.add_done_callback(_refreshing.discard)


_refreshing: Final[set[asyncio.Task[None]]] = set()


async def _logged(work: Awaitable[None]) -> None:
    from mcp import McpError

    try:
        await work
    except (ConnectionError, McpError) as error:
        _log.warning("cannot read a changed list of tools: %s", error)


async def _answer[Answer](live: _Live, ask: "Callable[[ClientSession], Awaitable[Answer]]", where: str) -> Answer:
    """The server's answer. A connection that dies may leave a question open for ever: it is looked after meanwhile."""
    from mcp import McpError

    session = live.session.result()
    asked = asyncio.ensure_future(ask(session))
    lost = asyncio.ensure_future(live.over.wait())
    sent = False
    try:
        while not asked.done() and not lost.done():
            await asyncio.wait({asked, lost}, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done() and not lost.done():
                sent = True
                await _look(session, live)
        if asked.done():
            return asked.result()
    except McpError as error:
        if error.error.code == _TERMINATED:
            raise _NotDone(str(error)) from error
        if error.error.code != _CLOSED:
            raise
    finally:
        asked.cancel()
        lost.cancel()
    live.over.set()
    await live.ended.wait()
    if not sent and _never_reached(live.why):
        raise _NotDone(str(live.why))
    raise ConnectionError(f"the MCP server {where} was lost in the midst of the call; whether it was done is unknown")


async def _look(session: "ClientSession", live: _Live) -> None:
    """Have a dead server noticed. One that is merely busy does not answer in time, and is left alone."""
    from mcp import McpError

    try:
        async with asyncio.timeout(_LOOK_AGAIN_S):
            await session.send_ping()
    except TimeoutError:
        return
    except (McpError, anyio.ClosedResourceError, anyio.BrokenResourceError):
        live.over.set()


@asynccontextmanager
async def _noticing_the_end(read: Any, over: asyncio.Event) -> AsyncIterator[Any]:
    """What comes from `read`; `over` is set when nothing more will."""
    send, receive = anyio.create_memory_object_stream[Any](0)

    async def relay() -> None:
        async with read, send:
            async for message in read:
                await send.send(message)
        over.set()

    async with receive, anyio.create_task_group() as group:
        group.start_soon(relay)
        try:
            yield receive
        finally:
            group.cancel_scope.cancel()


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _never_reached(why: BaseException | None) -> bool:
    # By name: mcp may be built on httpx or on a successor with the same class names.
    return type(why).__name__ in ("ConnectError", "ConnectTimeout")
