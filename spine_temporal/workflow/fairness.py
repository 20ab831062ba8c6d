"""Whose turn it is when tasks wait for workers."""

from temporalio.common import Priority

from spine_temporal.contracts.fairness import fairness_key
from spine_temporal.workflow.session import Session


def fairness(session: Session) -> Priority:
    """What an activity has beside the priority of its workflow, which it inherits.

    The workflow has its tenant as fairness key if whoever started it named one; a tenant that only the agent names is
    known here.
    """
    tenant_id = session.spec.tenant_id
    if session.request.tenant_id is not None or not tenant_id:
        return Priority.default
    return Priority(fairness_key=fairness_key(tenant_id))
