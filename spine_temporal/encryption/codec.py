"""Payloads encrypted with AES-256-GCM."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from spine_temporal.encryption.compression import packed, unpacked
from spine_temporal.encryption.keys import KeyRing, KeySource
from spine_temporal.errors import MissingExtra, PayloadUnreadable
from spine_temporal.payloads import ENCRYPTED, encoding_of

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as error:
    raise MissingExtra("encryption needs the package cryptography: pip install 'spine-temporal[encryption]'") from error

# Of the payload's metadata, and readable by everybody; the first two are named as in Temporal's own samples.
CIPHER: Final = "encryption-cipher"
KEY_ID: Final = "encryption-key-id"
FORMAT: Final = "encryption-format"

_AES: Final = b"AES-256-GCM"
_VERSION: Final = b"spine-1"
_NONCE_BYTES: Final = 12


# Smaller ones take less time than a thread does to wake up; a large one would hold the event loop for 50 ms and more.
_LARGE_BYTES: Final = 64 * 1024
# Its own: those of the event loop may all be taken by tools that wait for a run, whose payloads need this one.
_threads: Final = ThreadPoolExecutor(2, "spine-temporal-codec")


class EncryptionCodec(PayloadCodec):
    """Encrypts every payload with the writing key of `keys`; reads with whichever of them its metadata names.

    A payload is bound to the namespace, its key's id and the version of the form: what another namespace's history
    holds is not read. It is not bound to its workflow: forks, checkpoints and the codec server read it elsewhere.
    A payload that is not encrypted is refused, unless `accepts_plaintext`: for as long as runs from before are open.
    """

    def __init__(self, keys: KeySource, namespace: str, *, accepts_plaintext: bool = False) -> None:
        self.keys, self.namespace, self.accepts_plaintext = keys, namespace, accepts_plaintext

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, encrypted.

        Raises:
            BadInput: there are no keys.
        """
        ring = self.keys.ring()
        return [await _aside(self._encoded, payload, ring) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were.

        Raises:
            PayloadUnreadable: a key is missing; one was changed, is of another namespace, or is not encrypted.
            BadInput: there are no keys.
        """
        return [await _aside(self._decoded, payload) for payload in payloads]

    def _encoded(self, payload: Payload, ring: KeyRing) -> Payload:
        id_, nonce = ring.writing.encode(), os.urandom(_NONCE_BYTES)
        cipher = AESGCM(ring.keys[ring.writing])
        data = nonce + cipher.encrypt(nonce, packed(payload.SerializeToString()), self._bound_to(id_))
        return Payload(metadata={"encoding": ENCRYPTED, CIPHER: _AES, KEY_ID: id_, FORMAT: _VERSION}, data=data)

    def _decoded(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCRYPTED:
            if self.accepts_plaintext:
                return payload
            raise PayloadUnreadable(
                f"a payload is not encrypted ({encoding_of(payload)}) and therefore refused; give its writer the keys, "
                "or set SPINE_TEMPORAL_ACCEPT_PLAINTEXT=1 while runs from before are open"
            )
        id_, version = payload.metadata.get(KEY_ID, b""), payload.metadata.get(FORMAT, b"")
        if version != _VERSION or payload.metadata.get(CIPHER) != _AES:
            raise PayloadUnreadable(
                f"a payload is encrypted in form {version.decode(errors='replace')!r}, which this version of "
                f"spine-temporal does not read; it reads {_VERSION.decode()!r}: upgrade it here"
            )
        cipher = AESGCM(self._key(id_.decode(errors="replace")))
        nonce, data = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            plain = unpacked(cipher.decrypt(nonce, data, self._bound_to(id_)))
            return Payload.FromString(plain)
        # Of a nonce that is cut off it says ValueError.
        except (InvalidTag, ValueError, DecodeError):
            raise PayloadUnreadable(
                f"a payload of key {id_.decode(errors='replace')!r} is not what was encrypted with it in namespace "
                f"{self.namespace!r}: it was changed or cut off, is from another namespace, or the key of that id is "
                "another one here"
            ) from None

    def _key(self, id_: str) -> bytes:
        ring = self.keys.ring()
        if id_ not in ring.keys:
            ring = self.keys.ring(anew=True)
        if id_ not in ring.keys:
            raise PayloadUnreadable(
                f"a payload is encrypted with key {id_!r}, which is not among the keys here "
                f"({', '.join(map(repr, ring.keys))} of {self.keys!r}); add it there: nothing has to be restarted"
            )
        return ring.keys[id_]

    def _bound_to(self, id_: bytes) -> bytes:
        # With their lengths: what one part ends with can never be what the next one begins with.
        parts = (_VERSION, self.namespace.encode(), id_)
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


async def _aside[*Others](work: Callable[[Payload, *Others], Payload], payload: Payload, *others: *Others) -> Payload:
    if len(payload.data) < _LARGE_BYTES:
        return work(payload, *others)
    return await asyncio.get_running_loop().run_in_executor(_threads, work, payload, *others)
