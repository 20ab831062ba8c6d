"""`drain`: what cannot move is named, with what to do about it."""

import time

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    PauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.errors import BadInput
from tests.features.rollout.rollout import Rollout
from tests.rooms.cli.command import CommandLine

pytestmark = pytest.mark.durable


async def test_a_version_without_workers_is_handed_over_once_it_replays(rollout: Rollout) -> None:
    await rollout.work("v1")
    runs = [await rollout.paused(await rollout.start("pay", f"lost{number}")) for number in range(3)]
    await rollout.work("v2")
    await rollout.stop("v1")

    alone = await rollout.drain("v1", wait_s=2)
    handed = await rollout.drain("v1", replayed=True)

    assert {(each.id, "--replay" in each.fix) for each in alone.remaining} <= {(run.id, True) for run in runs}
    assert (len(alone.remaining), handed.moved, handed.remaining) == (3, 3, ())
    for run in runs:
        await run.decide("approve")
        assert (await run.result()).answer == "v2: paid 1"
        override = (await rollout.describe(run.workflow_id)).workflow_execution_info.versioning_info
        assert not override.HasField("versioning_override")
    assert rollout.effects.count("paid 1") == 3


async def test_a_run_suspended_on_the_server_is_named_though_the_server_counts_it_as_drained(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "asleep"))
    execution = {"namespace": "default", "workflow_id": run.workflow_id, "request_id": "1"}
    service = rollout.client.workflow_service
    await service.pause_workflow_execution(PauseWorkflowExecutionRequest(**execution))
    await rollout.work("v2")
    begun_s = time.monotonic()

    drained = await rollout.drain("v1", wait_s=600)

    assert time.monotonic() - begun_s < 600
    [left] = drained.remaining
    assert (left.id, "suspended" in left.why, run.workflow_id in left.fix) == (run.id, True, True)
    await rollout.until_drained("v1")
    await service.unpause_workflow_execution(UnpauseWorkflowExecutionRequest(**execution))
    await rollout.until_on("v2", run)
    await run.decide("approve")
    assert (await run.result()).answer == "v2: paid 1"


async def test_a_run_that_somebody_pinned_by_hand_stays_and_is_named(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "pinned"))
    await _override(rollout, run.workflow_id, _pinned(rollout.name, "v1"))
    await rollout.work("v2")

    drained = await rollout.drain("v1", wait_s=10)

    [left] = drained.remaining
    assert (left.id, "pinned" in left.why, "update-options" in left.fix) == (run.id, True, True)
    await _override(rollout, run.workflow_id, None)
    assert (await rollout.drain("v1")).remaining == ()
    assert await rollout.build_of(run) == "v2"


async def test_command_prints_what_remains_and_the_way_on(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "printed"))
    await rollout.work("v2")
    await rollout.stop("v1")
    drain = ("drain", "--build", "v1", "--deployment", rollout.name)
    async with CommandLine(rollout.client.service_client.config.target_host, rollout.task_queue) as command:
        stays = await command(*drain, "--wait", "1")
        moves = await command(*drain, "--replay")
        current = await command("drain", "--build", "v2", "--deployment", rollout.name)

    assert (stays.code, run.id in stays.out, "--replay" in stays.out) == (Exit.NO_ANSWER, True, True)
    assert (moves.code, "1 run to v2" in moves.out, "0 workflows" in moves.out) == (Exit.DONE, True, True)
    assert (current.code, "'v2'" in current.err, "is current" in current.err) == (Exit.BAD_USAGE, True, True)


async def test_what_cannot_be_drained_is_refused_with_what_there_is(rollout: Rollout) -> None:
    with pytest.raises(BadInput, match="no worker deployment"):
        await rollout.drain("v1")
    await rollout.work("v1")
    with pytest.raises(BadInput, match=r"no version 'v9'; it has v1 \(current\)"):
        await rollout.drain("v9")
    with pytest.raises(BadInput, match=r"'v1' .* is current"):
        await rollout.drain("v1")


def _pinned(deployment: str, build: str) -> VersioningOverride:
    pinned = VersioningOverride.PinnedOverride(
        behavior=VersioningOverride.PinnedOverrideBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED
    )
    pinned.version.deployment_name, pinned.version.build_id = deployment, build
    return VersioningOverride(pinned=pinned)


async def _override(rollout: Rollout, workflow_id: str, override: VersioningOverride | None) -> None:
    await rollout.client.workflow_service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_execution_options=WorkflowExecutionOptions(versioning_override=override),
            update_mask=FieldMask(paths=["versioning_override"]),
        )
    )
