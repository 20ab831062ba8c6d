"""The scale signal for HTTP clients: asked on a thread of its own, remembered for a moment."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.client.scale import ScaleSignal, ScaleSource
from spine_temporal.errors import BadInput
from spine_temporal.worker.health import Answer
from spine_temporal.worker.health_server import Query

# Autoscalers ask each worker's address; the server counts anew every five seconds anyway.
_KEPT_S: Final = 2.0
_PATIENCE_S: Final = 3.0
_LONGEST_NAME: Final = 1000
_AT_ONCE: Final = 4

type _Asked = tuple[str, str | None]


class ScaleAnswers:
    """Answers `/scale/{queue}?build=...`; `client` gives the client of the moment, None while there is none yet."""

    def __init__(self, client: Callable[[], Client | None]) -> None:
        self._client, self._source = client, ScaleSource()
        self._kept: dict[_Asked, tuple[float, asyncio.Task[ScaleSignal]]] = {}
        # Not the worker's loop, which a tool may hold: then above all the signal must not fall to zero.
        self._loop = asyncio.new_event_loop()
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._thread = threading.Thread(target=self._loop.run_forever, name="spine-temporal-scale", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __call__(self, task_queue: str, query: Query = ()) -> Answer:
        """The answer for that queue, of all versions or of the one that is asked for; an HTTP thread waits for it."""
        if not task_queue or len(task_queue) > _LONGEST_NAME:
            return _error(404, "it is /scale/QUEUE, with the name of a task queue")
        # A misspelt parameter must not scale a version by the work of all.
        if any(name != "build" for name, _ in query) or len(query) > 1:
            return _error(400, "after /scale/QUEUE there may be ?build=ID, once, and nothing else")
        build_id = query[0][1] if query else None
        if build_id is not None and not 0 < len(build_id) <= _LONGEST_NAME:
            return _error(400, "?build= needs a build id: the TEMPORAL_WORKER_BUILD_ID of the workers to scale")
        return self._answer((task_queue, build_id))

    def _answer(self, asked: _Asked) -> Answer:
        client = self._client()
        if client is None:
            return Answer.unavailable("there is no connection to the server yet")
        asking = asyncio.run_coroutine_threadsafe(self._signal(client, asked), self._loop)
        try:
            return Answer.json(200, asking.result(_PATIENCE_S + 1).to_json())
        except BadInput as error:
            return _error(404, str(error))
        except RPCError as error:
            return Answer.unavailable(f"the server refuses: {error.message} ({error.status.name})")
        except (TimeoutError, concurrent.futures.CancelledError):
            return Answer.unavailable(f"the server has not answered within {_PATIENCE_S:g} s")

    async def _signal(self, client: Client, asked: _Asked) -> ScaleSignal:
        now_s = time.monotonic()
        self._kept = {key: kept for key, kept in self._kept.items() if now_s < kept[0] or not kept[1].done()}
        kept = self._kept.get(asked)
        if kept is None or (kept[1].done() and (kept[1].cancelled() or kept[1].exception() is not None)):
            kept = now_s + _KEPT_S, asyncio.create_task(self._ask(client, asked))
            self._kept[asked] = kept
        return await asyncio.shield(kept[1])

    async def _ask(self, client: Client, asked: _Asked) -> ScaleSignal:
        async with asyncio.timeout(_PATIENCE_S), self._asking:
            return await self._source.signal(client, *asked)


def _error(status: int, reason: str) -> Answer:
    return Answer.json(status, {"status": "error", "reason": reason})
