"""Ports that nobody listens at."""

import secrets
import socket
from contextlib import suppress
from typing import Final

from spine_temporal.connection.web_ui import UI_PORT_OFFSET

# Below what a system gives to outgoing connections, which could have the number before a process that was just started
# listens there; and apart from what the dev servers of other tests take.
_FIRST: Final = 10_000
_COUNT: Final = 8_000


def free_port() -> int:
    """One of this machine's, free a moment ago, as is the one where the web UI of a dev server there would listen."""
    while True:
        number = _FIRST + secrets.randbelow(_COUNT)
        with suppress(OSError):
            for each in (number, number + UI_PORT_OFFSET):
                socket.create_server(("127.0.0.1", each)).close()
            return number
