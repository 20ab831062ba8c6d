"""What the server says, as our errors."""

from typing import Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.connection.connect import unreachable as no_server
from spine_temporal.contracts import names
from spine_temporal.errors import AgentBroken, BadInput, RunFailed, ServerUnreachable, SpineTemporalError, UnknownAgent

_BY_TYPE: Final[dict[str, type[SpineTemporalError]]] = {
    names.UNKNOWN_AGENT: UnknownAgent,
    names.AGENT_BROKEN: AgentBroken,
    names.BAD_REQUEST: BadInput,
}


def failed_run(event: HistoryEvent, workflow_id: str) -> SpineTemporalError:
    """The error that a failed workflow stands for."""
    failure = event.workflow_execution_failed_event_attributes.failure
    type_ = _BY_TYPE.get(failure.application_failure_info.type)
    if type_ is not None:
        return type_(failure.message)
    return RunFailed(f"the workflow of run {workflow_id!r} failed: {failure.message}")


def unreachable(client: Client, error: RPCError) -> ServerUnreachable:
    """The error for a server that does not answer."""
    return no_server(client.service_client.config.target_host, error.message)
