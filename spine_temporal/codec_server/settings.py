"""The codec server's settings: its keys are the worker's."""

import os
from pathlib import Path
from typing import Final

from spine_temporal.codec_server.access import Access, Jwts, Tokens
from spine_temporal.codec_server.app import CodecServer
from spine_temporal.connection.settings import KEY_FILE, KEYS, encryption_keys, is_set
from spine_temporal.errors import BadInput

_PREFIX: Final = "SPINE_TEMPORAL_CODEC_"
_PORT: Final = "8081"  # as in Temporal's own samples
_LAST_PORT: Final = 65_535


def server_settings() -> tuple[CodecServer, str, int]:
    """The server, host and port that the environment names.

    Raises:
        BadInput: there are no keys, nobody may ask, or a setting cannot be used.
    """
    keys = encryption_keys()
    if keys is None:
        raise BadInput(f"there are no keys to decode with; set {KEYS} or {KEY_FILE}, as the workers have it")
    keys.ring()
    origins = [origin for origin in _setting("ORIGINS").replace(",", " ").split() if origin]
    port = _setting("PORT") or _PORT
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise BadInput(f"{_PREFIX}PORT is {port!r}; it is a number up to {_LAST_PORT}")
    server = CodecServer(keys, encodes=is_set(f"{_PREFIX}ENCODE"), access=_access(), origins=origins)
    return server, _setting("HOST") or "127.0.0.1", int(port)


def _access() -> list[Access]:
    access = list[Access]()
    if path := _setting("TOKEN_FILE"):
        access.append(Tokens.read(Path(path)))
    if path := _setting("JWT_KEY_FILE"):
        audience = _setting("JWT_AUDIENCE")
        if not audience:
            raise BadInput(f"{_PREFIX}JWT_AUDIENCE is not set: tokens for other services would do, too")
        try:
            key = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{_PREFIX}JWT_KEY_FILE {path} cannot be read: {type(error).__name__}") from None
        access.append(jwts := Jwts(key, audience, _setting("JWT_ISSUER") or None))
        if not jwts.usable:
            raise BadInput(f"{_PREFIX}JWT_KEY_FILE {path} holds no public key of RSA, P-256 or Ed25519 in PEM")
    if not access:
        raise BadInput(f"nobody could ask: set {_PREFIX}TOKEN_FILE, or {_PREFIX}JWT_KEY_FILE with its audience")
    return access


def _setting(name: str) -> str:
    return os.environ.get(f"{_PREFIX}{name}", "").strip()
