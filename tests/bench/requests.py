"""What the server counts of the requests that it is sent."""

import asyncio
import re
from collections import Counter
from contextlib import suppress
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import psutil

_COUNTED: Final = re.compile(
    r'^service_requests\{[^}]*operation="(\w+)"[^}]*service_name="frontend"[^}]*\} (\S+)$', re.M
)
_PATIENCE_S: Final = 5.0
# The server writes its counters once a second.
_SETTLE_S: Final = 1.2


class ServerRequests:
    """Counts the requests to the frontend of a dev server, by operation."""

    def __init__(self, server_pid: int) -> None:
        self._url = _metrics_url(server_pid)

    async def settled(self) -> Counter[str]:
        """So far, as soon as the server's counters have caught up with it."""
        await asyncio.sleep(_SETTLE_S)
        counted: Counter[str] = Counter()
        for operation, number in _COUNTED.findall(_read(self._url)):
            counted[operation] += int(float(number))
        return counted


def _metrics_url(server_pid: int) -> str:
    """Where its metrics are: it chooses the port by itself, and listens on others, too."""
    sockets = psutil.Process(server_pid).net_connections("tcp")
    for port in sorted({each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}):
        url = f"http://127.0.0.1:{port}/metrics"
        with suppress(URLError, OSError, ValueError):
            if "service_requests" in _read(url):
                return url
    raise RuntimeError(f"the dev server {server_pid} shows no metrics on any port it listens on")


def _read(url: str) -> str:
    with urlopen(url, timeout=_PATIENCE_S) as answer:
        return str(answer.read().decode())
