"""Failures, with the text that a converter or a codec hid."""

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from spine_temporal.payloads import check_decoded


async def decoded_failure(failure: Failure, converter: DataConverter) -> Failure:
    """The failure as it was before the client's failure converter and codec hid its text.

    Raises:
        PayloadUnreadable: there is no codec that can read it, or not with its keys.
    """
    decoded = Failure()
    decoded.CopyFrom(failure)
    if converter.payload_codec is not None:
        await converter.payload_codec.decode_failure(decoded)
    # What a failure converter with `encode_common_attributes` puts into a payload.
    if decoded.HasField("encoded_attributes"):
        check_decoded(decoded.encoded_attributes)
        attributes = converter.payload_converter.from_payloads([decoded.encoded_attributes], None)[0]
        if isinstance(attributes, dict) and isinstance(attributes.get("message"), str):
            decoded.message = attributes["message"]
    return decoded
