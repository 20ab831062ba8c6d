"""Our search attributes: which of them a server lacks, how it gets them."""

from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.contracts import names

KEYWORDS: Final = (names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE)
"""All of them, of Temporal's type Keyword."""


async def missing(client: Client) -> list[str]:
    """The names of those that the server lacks, or does not tell of."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError:
        return list(KEYWORDS)
    return [name for name in KEYWORDS if name not in known.custom_attributes]


async def create_missing(client: Client) -> None:
    """Create those that the server lacks. Who may do that to a server of others is for its operators to say."""
    lacking = await missing(client)
    if lacking:
        kinds = dict.fromkeys(lacking, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
        await client.operator_service.add_search_attributes(request)
