"""What is sent to a run fits into a payload, or is refused before it is sent."""

from temporalio.client import Client

from spine_temporal.connection.payload_limit import excess
from spine_temporal.contracts.base import WireModel, dump
from spine_temporal.errors import InputTooLarge


async def check_size(request: WireModel, what: str, client: Client) -> None:
    """Raise if the server would not take the request.

    Raises:
        InputTooLarge: it is larger than the namespace takes, as the client sends it.
    """
    found = await excess(dump(request), client)
    if found is not None:
        raise InputTooLarge(
            f"{what} has {found[0]:,} bytes as it is sent, a Temporal payload holds {found[1]:,} here; "
            "store it where a tool can read it, and name the place"
        )
