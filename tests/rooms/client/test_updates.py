"""Updates as a server answers them."""

import uuid

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import HandlerUnfinishedPolicy

from spine_temporal.client.updates import RunOver, send_update
from spine_temporal.contracts.turn import StopRequest
from spine_temporal.payloads import pack

pytestmark = pytest.mark.durable


@workflow.defn
class ClosesWhileAsked:
    """Its update is accepted, and never answered: it closes meanwhile."""

    def __init__(self) -> None:
        self.asked = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.asked)

    @workflow.update(unfinished_policy=HandlerUnfinishedPolicy.ABANDON)
    async def ask(self, _: RawValue) -> None:
        self.asked = True
        await workflow.wait_condition(lambda: False)


async def test_an_update_that_a_workflow_began_to_take_when_it_closed_was_not_taken(client: Client) -> None:
    queue = id_ = f"closes-{uuid.uuid4().hex}"
    async with Worker(
        client, task_queue=queue, workflows=[ClosesWhileAsked], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        await client.start_workflow(ClosesWhileAsked.run, id=id_, task_queue=queue)

        with pytest.raises(RunOver):
            await send_update(client, id_, "ask", pack(StopRequest(turn=1)), uuid.uuid4().hex)
