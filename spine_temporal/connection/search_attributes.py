"""Which of our search attributes the server lacks."""

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.contracts import names


async def missing(client: Client) -> list[str]:
    """The names of those that the server lacks, or does not tell of."""
    wanted = [names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE]
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError:
        return wanted
    return [name for name in wanted if name not in known.custom_attributes]
