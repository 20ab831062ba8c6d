"""What is in order with the keys that payloads are encrypted with."""

from importlib.util import find_spec
from typing import Final

from temporalio.client import Client

from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.client.status import unreadable_status
from spine_temporal.connection.settings import KEY_FILE, KEYS, encryption_keys
from spine_temporal.connection.visibility import equals, list_pages
from spine_temporal.contracts import names
from spine_temporal.encryption.keys import KeyRing
from spine_temporal.errors import BadInput
from spine_temporal.format import many

# Enough to come upon the runs of the key before the last rotation.
_LOOKED_AT: Final = 100


def check_keys() -> Finding | None:
    """What keeps the keys from being used; None: nothing, or there are none."""
    try:
        keys = encryption_keys()
        if keys is None:
            return None
        keys.ring()
    except BadInput as error:
        return Finding(Level.FIX, "keys", str(error))
    if find_spec("cryptography") is None:
        text = "there are keys, and the package that encrypts is not installed"
        return Finding(Level.FIX, "keys", text, "`pip install 'spine-temporal[encryption]'`")
    return None


async def check_encryption(client: Client) -> list[Finding]:
    """Whether payloads are encrypted, and whether what the server holds can be read here."""
    codec = client.data_converter.payload_codec
    unreadable = await _unreadable(client)
    if codec is None:
        found = Finding(Level.NOTE, "codec", "none: whoever may read the server's histories reads conversations")
        fix = f"set {KEYS} or {KEY_FILE} as the workers have it"
    else:
        found, fix = Finding(Level.OK, "codec", _described(codec)), "add the key"
    if unreadable is not None:
        return [found, Finding(Level.FIX, "encrypted runs", unreadable, fix)]
    return [found]


def _described(codec: object) -> str:
    # As it is, for codecs of others.
    from spine_temporal.encryption.codec import EncryptionCodec

    if not isinstance(codec, EncryptionCodec):
        return type(codec).__name__
    ring: KeyRing = codec.keys.ring()
    plain = "; what is not encrypted is accepted, too" if codec.accepts_plaintext else ""
    return f"AES-256-GCM, key {ring.writing!r} writes, {many(len(ring.keys), 'key')} read{plain}"


async def _unreadable(client: Client) -> str | None:
    """Why a run among the latest cannot be read; None: no reason is known."""
    query = equals("WorkflowType", names.AGENT_WORKFLOW) or ""
    async for page in list_pages(client, query, page_size=_LOOKED_AT):
        for info in page:
            why = await unreadable_status(info, client.data_converter)
            if why is not None:
                return f"run {info.execution.workflow_id!r}: {why}"
        break
    return None
