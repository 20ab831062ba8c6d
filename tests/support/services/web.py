"""A real web server in a thread of the test process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_GRACE_S: Final = 5


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free port of this machine; the body is given its URL.

    At the end open requests have five seconds to end; then no thread and no socket is left.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        http="h11",
        log_config=None,
        loop="asyncio",
        timeout_graceful_shutdown=_GRACE_S,
        ws="none",
    )
    # It listens before the server runs, so nobody has to wait for that: a connection made earlier is kept in line.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web server")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
