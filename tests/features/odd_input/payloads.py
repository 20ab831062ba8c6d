"""What anybody may send to a workflow, by any client in any language."""

from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue


def sent(data: bytes, encoding: str = "json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


# What is no argument of any of our workflows, signals, updates.
ODD: Final[dict[str, list[RawValue]]] = {
    "nothing": [],
    "two values": [sent(b"{}"), sent(b"{}")],
    "three values": [sent(b"1"), sent(b"2"), sent(b"3")],
    "null": [sent(b"null")],
    "Temporal's null": [sent(b"", "binary/null")],
    "a number": [sent(b"5")],
    "a text": [sent(b'"hello"')],
    "a list": [sent(b"[{}]")],
    "an unknown field alone": [sent(b'{"nonsense": 1}')],
    "a huge number": [sent(b"1" + b"0" * 400)],
    "a number at the edge": [sent(b"1e308")],
    "NaN": [sent(b"NaN")],
    "infinity": [sent(b"-Infinity")],
    "deep": [sent(b"[" * 100_000 + b"]" * 100_000)],
}
# Bytes that say they are something and are not.
GARBLED: Final[dict[str, list[RawValue]]] = {
    "garbage": [sent(b"\x00\xff{]")],
    "half of it": [sent(b'{"input": "he')],
    "half a character": [sent(b'{"input": "\\ud83e"}')],
    "no text": [sent(b'{"input": "\xff\xfe"}')],
    "bytes": [sent(b"\x00\x01", "binary/plain")],
    "protobuf": [sent(b"\x0a\x00", "binary/protobuf")],
    "no encoding": [sent(b"?", "")],
    "another encoding": [sent(b"?", "acme/encrypted")],
}
