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
    from mcp import ClientSession, McpError
    from mcp.types import CallToolResult, ListToolsResult

_log = logging.getLogger(__name__)

# A server that is restarted by its supervisor is back within some seconds; who waits for it holds an activity.
_CONNECT_S: Final = 10.0
_PAUSES_S: Final = (0.1, 0.2, 0.5, 1.0)
# Soon enough to notice a dead server, seldom enough not to disturb a busy one.
_PING_AFTER_S: Final = 2.0
# The codes that mcp itself gives: the server has forgotten the session (HTTP 404), the connection is closed. A server
# may answer with the second one, too: only a connection that is over was closed.
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
    """What spine's `MCPToolset` takes as its session: it connects when first used, and again once it is lost.

    `where` names the server in errors and logs; `redact` masks its secrets in texts that are made elsewhere.
    `transport` opens the streams to the server, `changed` is called when its tools may be others. A connection belongs
    to the event loop that it is first used in; it lives in a task of its own, so that any task may use or close it.
    """

    def __init__(
        self,
        where: str,
        transport: Callable[[], AbstractAsyncContextManager[tuple[Any, ...]]],
        changed: Callable[[], Awaitable[None]],
        redact: Callable[[str], str],
    ) -> None:
        self.where = where
        self._redact = redact
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
        return await self._request(lambda session: session.list_tools())

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> "CallToolResult":
        """What a tool answers. A call that the server never got is made again, once.

        Raises:
            ConnectionError: the server cannot be reached, or is lost in the midst of the call.
        """
        return await self._request(lambda session: session.call_tool(name, arguments))

    async def aclose(self) -> None:
        """Close the connection; a server that was started for it ends."""
        if self._live is not None:
            self._live.over.set()
        if self._task is not None:
            await asyncio.wait({self._task})
        self._live = self._task = None

    async def _request[Answer](self, send: "Callable[[ClientSession], Awaitable[Answer]]") -> Answer:
        from mcp import McpError

        try:
            live = await self._connected()
            try:
                return await _answer(live, send, self.where)
            except _NotDone:
                live.over.set()
            return await _answer(await self._connected(), send, self.where)
        except _NotDone as error:
            why = self._redact(str(error))
            raise ConnectionError(f"the MCP server {self.where} does not accept the call: {why}") from None
        except McpError as error:
            error.error.message = self._redact(error.error.message)
            raise McpError(error.error) from None

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
            _log.warning("reconnected to the MCP server %s", self.where)
            await self._changed()
        return live

    async def _connect(self) -> _Live:
        give_up_s = asyncio.get_running_loop().time() + _CONNECT_S
        pauses_s = chain(_PAUSES_S, repeat(_PAUSES_S[-1]))
        while True:
            live = _Live(asyncio.get_running_loop().create_future())
            self._live, self._task = live, asyncio.create_task(self._keep(live))
            try:
                await live.session
            except ConnectionError as error:
                if asyncio.get_running_loop().time() > give_up_s:
                    why = self._redact(str(error))
                    # Without the chain: the transport's own errors have the URL in them.
                    raise ConnectionError(f"cannot connect to the MCP server {self.where}: {why}") from None
                await asyncio.sleep(next(pauses_s))
            else:
                return live

    async def _keep(self, live: _Live) -> None:
        """Hold the connection open until it is over: a cancel scope must be left in the task that entered it."""
        from mcp import ClientSession

        try:
            async with AsyncExitStack() as stack:
                read, write, *_ = await stack.enter_async_context(self._transport())
                messages = await stack.enter_async_context(_until_the_end(read, live.over))
                session = await stack.enter_async_context(
                    ClientSession(messages, write, message_handler=self._on_message)
                )
                await session.initialize()
                live.session.set_result(session)
                await live.over.wait()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the transport's tasks may raise anything
            live.why = _cause(error)
        finally:
            live.over.set()
            live.ended.set()
            if not live.session.done():
                live.session.set_exception(ConnectionError(_said(live.why)))

    async def _on_message(self, message: object) -> None:
        root = getattr(message, "root", None)
        if getattr(root, "method", None) == "notifications/tools/list_changed":
            task = asyncio.create_task(self._refresh())
            _refreshing.add(task)
            task.add_done_callback(_refreshing.discard)

    async def _refresh(self) -> None:
        from mcp import McpError

        try:
            await self._changed()
        except (ConnectionError, McpError) as error:
            _log.warning(
                "could not read the changed tools of the MCP server %s; keeping the old: %s", self.where, error
            )


# The event loop keeps weak references only.
_refreshing: Final[set[asyncio.Task[None]]] = set()


async def _answer[Answer](live: _Live, send: "Callable[[ClientSession], Awaitable[Answer]]", where: str) -> Answer:
    """The server's answer. A connection that dies may leave a request open for ever, so the server is pinged."""
    from mcp import McpError

    session = live.session.result()
    request = asyncio.ensure_future(send(session))
    lost = asyncio.ensure_future(live.over.wait())
    sent = False
    try:
        while not request.done() and not lost.done():
            await asyncio.wait({request, lost}, timeout=_PING_AFTER_S, return_when=asyncio.FIRST_COMPLETED)
            if not request.done() and not lost.done():
                sent = True
                await _ping(session, live)
        if request.done():
            return request.result()
    except McpError as error:
        if error.error.code == _TERMINATED:
            raise _NotDone(str(error)) from error
        if not _was_closed(error, live):
            raise
    finally:
        request.cancel()
        lost.cancel()
    live.over.set()
    await live.ended.wait()
    if not sent and _never_reached(live.why):
        raise _NotDone(str(live.why))
    raise ConnectionError(f"the MCP server {where} was lost in the midst of the call; whether it was done is unknown")


async def _ping(session: "ClientSession", live: _Live) -> None:
    """Find out whether the server is dead. One that is busy does not answer in time; one that refuses is alive."""
    from mcp import McpError

    try:
        async with asyncio.timeout(_PING_AFTER_S):
            await session.send_ping()
    except TimeoutError:
        return
    except McpError as error:
        if error.error.code == _TERMINATED or _was_closed(error, live):
            live.over.set()
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        live.over.set()


def _was_closed(error: "McpError", live: _Live) -> bool:
    return error.error.code == _CLOSED and live.over.is_set()


@asynccontextmanager
async def _until_the_end(read: Any, over: asyncio.Event) -> AsyncIterator[Any]:
    """What comes from `read`; `over` is set when nothing more will."""
    send, receive = anyio.create_memory_object_stream[Any](0)

    async def relay() -> None:
        async with read, send:
            async for message in read:
                await send.send(message)
            # Before the session learns of it: what it says of open requests is judged by this.
            over.set()

    async with receive, anyio.create_task_group() as group:
        group.start_soon(relay)
        try:
            yield receive
        finally:
            group.cancel_scope.cancel()


def _cause(error: BaseException) -> BaseException:
    """What went wrong: not that tasks beside it were cancelled because of that."""
    if isinstance(error, BaseExceptionGroup):
        causes = [_cause(each) for each in error.exceptions]
        return next((each for each in causes if not isinstance(each, asyncio.CancelledError)), causes[0])
    return error


def _said(why: BaseException | None) -> str:
    if isinstance(why, asyncio.CancelledError):
        # All that is left of a transport that failed where nobody looked.
        return "the connection was cut off"
    return str(why or "it closed the connection")


def _never_reached(why: BaseException | None) -> bool:
    # By name: mcp may be built on httpx or on a successor with the same class names.
    return type(why).__name__ in ("ConnectError", "ConnectTimeout")
