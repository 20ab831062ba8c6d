"""What the codec encrypts only the keys can read, in that namespace, unchanged."""

import os
import zlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from spine_temporal.encryption import EncryptionCodec, KeyRing, compression, new_key
from spine_temporal.encryption.compression import MAX_UNPACKED_BYTES
from spine_temporal.errors import PayloadUnreadable

OLD, NEW = new_key("old"), new_key("new")
RING = KeyRing.parse(OLD, "here")
CODEC = EncryptionCodec(RING, "here")
SAID = Payload(metadata={"encoding": b"json/plain", "more": b"x"}, data=b'{"secret": "otter"}')


async def encrypted(codec: EncryptionCodec = CODEC) -> Payload:
    (payload,) = await codec.encode([SAID])
    return payload


@given(data=st.binary(max_size=5000), metadata=st.dictionaries(st.text(max_size=9), st.binary(max_size=9), max_size=3))
async def test_whatever_was_encrypted_is_decrypted(data: bytes, metadata: dict[str, bytes]) -> None:
    payloads = [Payload(metadata=metadata, data=data), SAID]

    assert await CODEC.decode(await CODEC.encode(payloads)) == payloads


async def test_a_payload_shows_its_keys_id_and_nothing_of_what_it_holds() -> None:
    payload = await encrypted()

    assert dict(payload.metadata) == {
        "encoding": b"binary/encrypted",
        "encryption-cipher": b"AES-256-GCM",
        "encryption-key-id": b"old",
        "encryption-format": b"spine-1",
    }
    assert b"otter" not in payload.SerializeToString()
    assert (await encrypted()).data != payload.data


async def test_old_payloads_are_read_after_a_rotation_and_new_ones_have_the_new_key() -> None:
    payload = await encrypted()
    rotated = EncryptionCodec(KeyRing.parse(f"{NEW}\n{OLD}", "here"), "here")

    assert await rotated.decode([payload]) == [SAID]
    assert (await encrypted(rotated)).metadata["encryption-key-id"] == b"new"


def _with_data(payload: Payload, data: bytes) -> Payload:
    return Payload(metadata=payload.metadata, data=data)


def _with_metadata(payload: Payload, **metadata: bytes) -> Payload:
    return Payload(
        metadata={**payload.metadata, **{key.replace("_", "-"): v for key, v in metadata.items()}}, data=payload.data
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda payload: _with_data(payload, payload.data[:-1]), "changed or cut off"),
        (lambda payload: _with_data(payload, payload.data[:20]), "changed or cut off"),
        (lambda payload: _with_data(payload, payload.data[:5]), "changed or cut off"),
        (lambda payload: _with_data(payload, b""), "changed or cut off"),
        (lambda payload: _with_data(payload, bytes([payload.data[0] ^ 1]) + payload.data[1:]), "changed or cut off"),
        (lambda payload: _with_data(payload, payload.data[:-1] + bytes([payload.data[-1] ^ 1])), "changed or cut off"),
        (lambda payload: _with_metadata(payload, encryption_key_id=b"new"), "changed or cut off"),
        (lambda payload: _with_metadata(payload, encryption_key_id=b"third"), "key 'third', which is not among"),
        (lambda payload: _with_metadata(payload, encryption_key_id=b"\xff"), "which is not among"),
        (lambda payload: _with_metadata(payload, encryption_format=b"spine-2"), "does not read"),
        (lambda payload: _with_metadata(payload, encryption_cipher=b"none"), "does not read"),
        (lambda payload: _with_metadata(payload, encoding=b"json/plain"), "is not encrypted"),
        (lambda _: SAID, "is not encrypted"),
        (lambda _: Payload(), "is not encrypted"),
        (lambda _: Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"), "does not read"),
    ],
)
async def test_whatever_was_changed_is_refused(change: Callable[[Payload], Payload], said: str) -> None:
    codec = EncryptionCodec(KeyRing.parse(f"{OLD}\n{NEW}", "here"), "here")

    with pytest.raises(PayloadUnreadable, match=said):
        await codec.decode([change(await encrypted())])


async def test_payload_of_another_namespace_is_refused() -> None:
    with pytest.raises(PayloadUnreadable, match="in namespace 'there'"):
        await EncryptionCodec(RING, "there").decode([await encrypted()])


async def test_namespace_and_key_id_cannot_be_shifted_into_each_other() -> None:
    key = OLD.partition(":")[2]
    one = EncryptionCodec(KeyRing.parse(f"bc:{key}", "here"), "a")
    other = EncryptionCodec(KeyRing.parse(f"c:{key}", "here"), "ab")
    payload = await encrypted(one)
    payload.metadata["encryption-key-id"] = b"c"

    with pytest.raises(PayloadUnreadable):
        await other.decode([payload])


async def test_another_key_of_the_same_id_is_said_to_be_one() -> None:
    other = EncryptionCodec(KeyRing.parse(new_key("old"), "here"), "here")

    with pytest.raises(PayloadUnreadable, match="the key of that id is another one here"):
        await other.decode([await encrypted()])


async def test_plaintext_is_read_only_when_asked_for() -> None:
    lenient = EncryptionCodec(RING, "here", accepts_plaintext=True)

    assert await lenient.decode([SAID, await encrypted()]) == [SAID, SAID]
    with pytest.raises(PayloadUnreadable, match="SPINE_TEMPORAL_ACCEPT_PLAINTEXT"):
        await CODEC.decode([SAID])


async def test_a_bomb_is_not_unpacked() -> None:
    deflating = zlib.compressobj(9)
    bomb = b"\1" + b"".join(deflating.compress(bytes(1 << 20)) for _ in range(64)) + deflating.flush()
    nonce, cipher = os.urandom(12), AESGCM(RING.keys["old"])
    payload = await encrypted()
    payload.data = nonce + cipher.encrypt(nonce, bomb, CODEC._bound_to(b"old"))

    assert len(payload.data) < 100_000
    with pytest.raises(PayloadUnreadable, match="unpacks to more than 16,777,216"):
        await CODEC.decode([payload])


@pytest.mark.parametrize("size", [0, 255, 256, MAX_UNPACKED_BYTES, MAX_UNPACKED_BYTES + 1])
def test_what_is_packed_can_be_unpacked_whatever_its_size(size: int) -> None:
    data = bytes(size)

    assert compression.unpacked(compression.packed(data)) == data


def test_text_gets_smaller_and_noise_does_not_get_larger() -> None:
    noise = os.urandom(10_000)

    assert len(compression.packed(b'{"role": "user"}' * 500)) < 1_000
    assert len(compression.packed(noise)) == len(noise) + 1
