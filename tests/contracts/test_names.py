"""The strings that histories hold, pinned: one that changes here breaks every run in flight."""

from spine_temporal.contracts import limits, names

PINNED = {
    "AGENT_WORKFLOW": "spine.agent",
    "CHECKPOINT_WORKFLOW": "spine.checkpoint",
    "OPEN_ACTIVITY": "spine.open",
    "STEP_ACTIVITY": "spine.step",
    "TOOL_ACTIVITY": "spine.tool",
    "END_ACTIVITY": "spine.end",
    "STOP_SIGNAL": "spine.stop",
    "PUT_SIGNAL": "spine.put",
    "UNKNOWN_AGENT": "spine.UnknownAgent",
    "AGENT_BROKEN": "spine.AgentBroken",
    "BAD_REQUEST": "spine.BadRequest",
    "STEP_FAILED": "spine.StepFailed",
    "WORKER_STOPPING": "spine.WorkerStopping",
    "WORKFLOW_ID_PREFIX": "spine-",
    "CHECKPOINT_ID_PREFIX": "spine.checkpoint-",
    "DEFAULT_TASK_QUEUE": "spine",
    "CHECKPOINT_TASK_QUEUE": "spine-checkpoint",
    "DELETED": "deleted by spine_temporal.TemporalCheckpoint",
}


def test_names_are_what_histories_hold() -> None:
    declared = {name: value for name, value in vars(names).items() if name.isupper()}

    assert declared == PINNED


def test_names_are_all_different() -> None:
    assert len(set(PINNED.values())) == len(PINNED)


def test_largest_payload_is_below_what_a_stock_server_takes() -> None:
    assert limits.MAX_PAYLOAD_BYTES == 2_000_000
    assert limits.MAX_PAYLOAD_BYTES < 2 * 1024 * 1024
