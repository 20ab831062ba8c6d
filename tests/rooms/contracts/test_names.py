"""The strings that histories hold, pinned: one that changes here breaks every run in flight."""

from spine_temporal.contracts import limits, names

PINNED = {
    "AGENT_WORKFLOW": "spine.agent",
    "CHECKPOINT_WORKFLOW": "spine.checkpoint",
    "BUDGET_WORKFLOW": "spine.budget",
    "RATE_WORKFLOW": "spine.rate",
    "ONCE_WORKFLOW": "spine.once",
    "GATE_WORKFLOW": "spine.gate",
    "OPEN_ACTIVITY": "spine.open",
    "STEP_ACTIVITY": "spine.step",
    "TOOL_ACTIVITY": "spine.tool",
    "END_ACTIVITY": "spine.end",
    "SPEC_ACTIVITY": "spine.spec",
    "RESTORE_ACTIVITY": "spine.restore",
    "MIRROR_ACTIVITY": "spine.mirror",
    "SUBAGENT_ACTIVITY": "spine.subagent",
    "SEGMENT_ACTIVITY": "spine.segment",
    "GATE_ACTIVITY": "spine.check_version",
    "STOP_SIGNAL": "spine.stop",
    "STREAM_SIGNAL": "spine.stream",
    "STOP_TURN_SIGNAL": "spine.stop_turn",
    "PUT_SIGNAL": "spine.put",
    "CHILD_SIGNAL": "spine.child",
    "REPORT_END_SIGNAL": "spine.report_end",
    "CONTINUE_SIGNAL": "spine.continue_as_new",
    "CHARGE_SIGNAL": "spine.charge",
    "DONE_SIGNAL": "spine.done",
    "TURN_UPDATE": "spine.turn",
    "DECIDE_UPDATE": "spine.decide",
    "TAKE_UPDATE": "spine.take",
    "CLAIM_UPDATE": "spine.claim",
    "SPENT_QUERY": "spine.spent",
    "STATUS_MEMO": "spine",
    "EXPIRED_MEMO": "spine.expired",
    "STATUS_ATTRIBUTE": "SpineStatus",
    "AGENT_ATTRIBUTE": "SpineAgent",
    "SESSION_ATTRIBUTE": "SpineSession",
    "TENANT_ATTRIBUTE": "SpineTenant",
    "STOP_REASON_ATTRIBUTE": "SpineStopReason",
    "PARENT_ATTRIBUTE": "SpineParent",
    "STEP_ATTRIBUTE": "SpineStep",
    "TOKENS_ATTRIBUTE": "SpineTokens",
    "COST_ATTRIBUTE": "SpineCostUsd",
    "RUN_AGENT_PATCH": "spine.run_agent.refuses",
    "UNKNOWN_AGENT": "spine.UnknownAgent",
    "AGENT_BROKEN": "spine.AgentBroken",
    "BAD_REQUEST": "spine.BadRequest",
    "SESSION_BUSY": "spine.SessionBusy",
    "DECISION_REFUSED": "spine.DecisionRefused",
    "CONVERSATION_LOST": "spine.ConversationLost",
    "STEP_FAILED": "spine.StepFailed",
    "WORKER_STOPPING": "spine.WorkerStopping",
    "POSTPONED": "spine.RetryLater",
    "CODEC_AWAY": "spine.CodecAway",
    "NOT_DONE": "spine.NotDone",
    "CROWDED": "spine.Crowded",
    "NOT_LOCALLY": "spine.NotLocally",
    "GATE_CLOSED": "spine.GateClosed",
    "DELETED": "deleted by spine_temporal.TemporalCheckpoint",
    "WORKFLOW_ID_PREFIX": "spine-",
    "CHECKPOINT_ID_PREFIX": "spine.checkpoint-",
    "BUDGET_ID_PREFIX": "spine.budget-",
    "RATE_ID_PREFIX": "spine.rate-",
    "ONCE_ID_PREFIX": "spine.once-",
    "DEFAULT_TASK_QUEUE": "spine",
    "CHECKPOINT_TASK_QUEUE": "spine-checkpoint",
}


def test_names_are_what_histories_hold() -> None:
    declared = {name: value for name, value in vars(names).items() if name.isupper()}

    assert declared == PINNED


def test_names_are_all_different() -> None:
    # A memo and a task queue are called "spine", and never meet.
    assert len(set(PINNED.values())) == len(PINNED) - 1


def test_largest_payload_is_below_what_a_stock_server_takes() -> None:
    assert limits.MAX_PAYLOAD_BYTES == 2_000_000
    assert limits.MAX_PAYLOAD_BYTES < 2 * 1024 * 1024
