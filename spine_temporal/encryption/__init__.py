"""Payloads encrypted before they leave the process; extra `encryption`."""

from typing import TYPE_CHECKING, Any

from spine_temporal.encryption.keys import KeyRing, KeySource, new_key
from spine_temporal.encryption.sources import KeyFile, KeyVariable

if TYPE_CHECKING:
    from spine_temporal.encryption.codec import EncryptionCodec
    from spine_temporal.encryption.converter import encrypted

__all__ = ["EncryptionCodec", "KeyFile", "KeyRing", "KeySource", "KeyVariable", "encrypted", "new_key"]


def __getattr__(name: str) -> Any:
    """Load what needs the package cryptography on first touch: keys can be looked at without it."""
    if name == "encrypted":
        from spine_temporal.encryption.converter import encrypted

        return encrypted
    if name == "EncryptionCodec":
        from spine_temporal.encryption.codec import EncryptionCodec

        return EncryptionCodec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
