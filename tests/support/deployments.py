"""Versions of workers, made current as an operator does it."""

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.support.waiting import until


async def make_current(client: Client, deployment: str, build: str) -> None:
    """As `temporal worker deployment set-current-version` does, once the server knows that version."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build
    )

    async def is_known() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            return False
        return True

    await until(is_known, f"version {build} that can be made current")
