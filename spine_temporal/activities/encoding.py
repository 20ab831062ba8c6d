"""What an activity reports, tried on the codec while its heart still beats."""

import asyncio
import logging
from typing import Final

from temporalio import activity
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.contracts.base import WireModel, dump
from spine_temporal.payloads import pack_bytes, sent_bytes

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0


async def encoded_bytes(data: bytes, what: str) -> int:
    """How many bytes the server gets of that JSON. While the codec does not work, it waits: nothing is done again.

    Reported now, the SDK would make a failure of it, and what was done and paid for would be done once more.
    """
    pause_s, converter = _FIRST_PAUSE_S, activity.client().data_converter
    while True:
        try:
            return await _tried(data, converter)
        except Exception as error:  # noqa: BLE001 - a codec may raise anything
            _log.warning(
                "%s of %s cannot be encoded, and waits in memory for the codec, or the storage, to work again: %s",
                what,
                activity.info().activity_type,
                error or type(error).__name__,
            )
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _tried(data: bytes, converter: DataConverter) -> int:
    if converter.external_storage is None:
        return await sent_bytes(data, converter)
    # Stored once more when it is reported: drivers name things by their content.
    encoded = await converter.encode([pack_bytes(data)])
    return sum(each.ByteSize() for each in encoded)


async def encodable() -> None:
    """Wait until the codec works: a failure is to be reported."""
    await encoded_bytes(b"{}", "a failure")


async def written_as_it_is(model: WireModel) -> RawValue:
    """The model as a payload, once the codec can encode it."""
    data = dump(model)
    await encoded_bytes(data, "the outcome")
    return pack_bytes(data)
