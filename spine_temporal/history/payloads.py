"""What an event holds, as the client's converter reads it."""

from typing import Any

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.payloads import check_decoded


async def payload_bytes(payloads: Payloads, converter: DataConverter) -> bytes:
    """The JSON in the first payload, decoded by the client's codec.

    Raises:
        PayloadUnreadable: there is no codec that can, or not with its keys.
    """
    if not payloads.payloads:
        return b"{}"
    payload: Payload = payloads.payloads[0]
    if converter.payload_codec is None and converter.external_storage is None:
        check_decoded(payload)
        return payload.data
    values: list[Any] = await converter.decode([payload], [RawValue])
    check_decoded(values[0].payload)
    return bytes(values[0].payload.data)


def at_s(event: HistoryEvent) -> float:
    """When the event happened, in Unix time by the server's clock."""
    return event.event_time.ToMicroseconds() / 1_000_000
