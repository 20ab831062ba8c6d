"""Credentials that come from files: read anew when the files change."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile

from spine_temporal.connection.connect import connect
from spine_temporal.connection.settings import API_KEY_FILE, read_api_key
from spine_temporal.errors import BadInput, ServerUnreachable

_log = logging.getLogger(__name__)

# Certificates are renewed days before they end, API keys overlap; a look costs a few `stat`s.
LOOK_EVERY_S: Final = 5.0

type _State = tuple[tuple[int, int, int] | None, ...]


class Connected(Protocol):
    """What goes on by another client once it is given one."""

    client: Client


@asynccontextmanager
async def renewed(
    connected: Connected, connection: Mapping[str, Any], *, every_s: float = LOOK_EVERY_S
) -> AsyncIterator[None]:
    """While the body runs, `connected` has the credentials that its files hold; `connection` is what `connect` got.

    A new API key is used from the next call on. New certificates take a new connection; if it cannot be made with them
    (the key may not have been written yet), the old one stays, and it is tried again.
    """
    files = _Files(connection.get("profile"))
    if not files.any:
        yield
        return
    following = asyncio.create_task(_follow(files, connected, connection, every_s))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


class _Files:
    """The files of the settings, and in which state they were when they were last used."""

    def __init__(self, profile: str | None) -> None:
        api_key = os.environ.get(API_KEY_FILE)
        self.api_key = Path(api_key) if api_key else None
        tls = ClientConfigProfile.load(profile).tls
        sources = (tls.client_cert, tls.client_private_key, tls.server_root_ca_cert) if tls is not None else ()
        self.tls = [each for each in sources if isinstance(each, Path)]
        self.used_key, self.used_tls = self.key_state(), self.tls_state()

    @property
    def any(self) -> bool:
        return self.api_key is not None or bool(self.tls)

    def key_state(self) -> _State:
        return tuple(map(_state, [self.api_key] if self.api_key is not None else []))

    def tls_state(self) -> _State:
        return tuple(map(_state, self.tls))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        # Of what a link leads to: Kubernetes replaces the link.
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


async def _follow(files: _Files, connected: Connected, connection: Mapping[str, Any], every_s: float) -> None:
    warned: _State = ()
    while True:
        await asyncio.sleep(every_s)
        key, tls = files.key_state(), files.tls_state()
        try:
            if tls != files.used_tls:
                await _reconnect(connected, connection)
                files.used_key, files.used_tls = key, tls
                _log.info("the certificates have changed; the worker goes on by a new connection")
            elif key != files.used_key:
                connected.client.api_key = await asyncio.to_thread(read_api_key)
                files.used_key = key
                _log.info("the API key has changed; the worker uses the new one")
        except (BadInput, ServerUnreachable) as error:
            if warned != (warned := key + tls):
                _log.warning("new credentials cannot be used, so the old ones stay, and it is tried again: %s", error)


async def _reconnect(connected: Connected, connection: Mapping[str, Any]) -> None:
    new, old = await connect(**connection), connected.client
    # All but the connection stays as it is: codecs, interceptors.
    config = old.config(active_config=True)
    config["plugins"], config["service_client"] = [], new.service_client
    connected.client = Client(**config)
