"""A data converter that encrypts."""

import dataclasses

from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from spine_temporal.encryption.codec import EncryptionCodec
from spine_temporal.encryption.keys import KeySource


def encrypted(
    keys: KeySource,
    namespace: str,
    *,
    accepts_plaintext: bool = False,
    converter: DataConverter = DataConverter.default,
) -> DataConverter:
    """`converter`, whose payloads and failures are encrypted with `keys`, for the clients of one namespace.

    Give it to the clients of workers and of callers alike. Messages and stack traces of failures are encrypted, too:
    whatever failure converter the given one has is replaced. Search attributes and ids never are.
    `accepts_plaintext` also reads what is not encrypted, while runs from before are open.

    Raises:
        BadInput: there are no keys.
        MissingExtra: the extra `encryption` is not installed.
    """
    keys.ring()
    return dataclasses.replace(
        converter,
        payload_codec=EncryptionCodec(keys, namespace, accepts_plaintext=accepts_plaintext),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
