"""Our search attributes on a server: which of them it has, how it gets the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.contracts.search_attributes import NAMES, TABLE, SearchAttribute

DENIED: Final = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED)
"""What a server answers that keeps its list of attributes for its operators."""

_BY_NUMBER: Final = {
    int(number): name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
    for name, number in IndexedValueType.items()
}
_TYPES: Final = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}
# A value of the attribute's own type: one that has another is no attribute of ours.
_PROBES: Final = {"Keyword": "= '-'", "Int": "= 0", "Double": "= 0.5"}


@dataclass(frozen=True, slots=True)
class FoundAttributes:
    """Which of our search attributes a namespace has."""

    there: tuple[str, ...]
    """With the type that they must have."""
    of_other_types: Mapping[str, str] = field(default_factory=dict)
    """Those that somebody created with another type, with that type in Temporal's words: no run can set them."""
    listed: bool = True
    """False: who asked may not list them; each was tried in a query."""
    why: str = ""
    """What the server answered then."""

    @property
    def missing(self) -> list[str]:
        """Those that no run can set."""
        return [name for name in NAMES if name not in self.there]


async def look(client: Client) -> FoundAttributes:
    """Which of them the namespace has; whoever may not list attributes, but runs, finds it out all the same.

    Raises:
        temporalio.service.RPCError: the server is away, or lets whoever asks do neither.
    """
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    except RPCError as error:
        if error.status not in DENIED:
            raise
        # Mostly all are there, or none: then one query says so.
        there = NAMES if await _answers(client, *TABLE) else tuple([x.name for x in TABLE if await _answers(client, x)])
        return FoundAttributes(there, listed=False, why=error.message)
    there = tuple(each.name for each in TABLE if known.get(each.name) == _TYPES[each.type])
    others = {name: _type_of(known[name]) for name in NAMES if name in known and name not in there}
    return FoundAttributes(there, others)


async def missing(client: Client) -> list[str]:
    """The names of those that the server lacks."""
    return (await look(client)).missing


async def create_missing(client: Client) -> None:
    """Create those that the server lacks. Who may do that to a server of others is for its operators to say.

    Raises:
        temporalio.service.RPCError: the server refuses.
    """
    found = await look(client)
    await create(client, [name for name in found.missing if name not in found.of_other_types])


async def create(client: Client, wanted: Iterable[str]) -> None:
    """Create these; one that is there by now stays as it is.

    Raises:
        temporalio.service.RPCError: the server refuses.
    """
    kinds = {each.name: _TYPES[each.type] for each in TABLE if each.name in set(wanted)}
    if not kinds:
        return
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _answers(client: Client, *attributes: SearchAttribute) -> bool:
    """Whether the server knows a query that names these."""
    query = " OR ".join(f"{each.name} {_PROBES[each.type]}" for each in attributes)
    try:
        await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(namespace=client.namespace, query=query)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return False
        raise
    return True


def _type_of(number: int) -> str:
    return _BY_NUMBER.get(number, f"type {number}")
