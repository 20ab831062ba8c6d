"""What the server says, as our errors."""

from typing import Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from spine_temporal.contracts import names
from spine_temporal.errors import (
    AgentBroken,
    BadInput,
    ConversationLost,
    DecisionRefused,
    NotAnAgentRun,
    RunFailed,
    ServerUnreachable,
    SessionBusy,
    SpineTemporalError,
    UnknownAgent,
)
from spine_temporal.errors import unreachable as no_server
from spine_temporal.history.failures import decoded_failure

_BY_TYPE: Final[dict[str, type[SpineTemporalError]]] = {
    names.UNKNOWN_AGENT: UnknownAgent,
    names.AGENT_BROKEN: AgentBroken,
    names.BAD_REQUEST: BadInput,
    names.CONVERSATION_LOST: ConversationLost,
    names.SESSION_BUSY: SessionBusy,
    names.DECISION_REFUSED: DecisionRefused,
}


def refuse_other_types(info: WorkflowExecutionInfo) -> None:
    """Nothing, if that workflow is a run of an agent.

    Raises:
        NotAnAgentRun: it is of another type.
    """
    id_, type_ = info.execution.workflow_id, info.type.name
    if type_ != names.AGENT_WORKFLOW:
        raise NotAnAgentRun(
            f"workflow {id_!r} is a {type_!r}, not a run of an agent; `temporal workflow show -w {id_}` shows it"
        )


async def failed_run(event: HistoryEvent, workflow_id: str, converter: DataConverter) -> SpineTemporalError:
    """The error that a failed workflow stands for."""
    failure = await decoded_failure(event.workflow_execution_failed_event_attributes.failure, converter)
    type_ = _BY_TYPE.get(failure.application_failure_info.type)
    if type_ is not None:
        return type_(failure.message)
    return RunFailed(f"the workflow of run {workflow_id!r} failed: {failure.message}")


def refused_update(error: WorkflowUpdateFailedError) -> SpineTemporalError:
    """The error that a refused update stands for."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return RunFailed(f"the workflow did not take the update: {cause}")
    return _BY_TYPE.get(cause.type or "", RunFailed)(cause.message)


def unreachable(client: Client, error: RPCError) -> ServerUnreachable:
    """The error for a server that does not answer."""
    return no_server(client.service_client.config.target_host, error.message)
