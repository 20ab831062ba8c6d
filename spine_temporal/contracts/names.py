"""The strings that histories hold for ever."""

from typing import Final

AGENT_WORKFLOW: Final = "spine.agent"
CHECKPOINT_WORKFLOW: Final = "spine.checkpoint"
BUDGET_WORKFLOW: Final = "spine.budget"
RATE_WORKFLOW: Final = "spine.rate"
ONCE_WORKFLOW: Final = "spine.once"

OPEN_ACTIVITY: Final = "spine.open"
STEP_ACTIVITY: Final = "spine.step"
TOOL_ACTIVITY: Final = "spine.tool"
END_ACTIVITY: Final = "spine.end"
SPEC_ACTIVITY: Final = "spine.spec"
RESTORE_ACTIVITY: Final = "spine.restore"
MIRROR_ACTIVITY: Final = "spine.mirror"
SUBAGENT_ACTIVITY: Final = "spine.subagent"

STOP_SIGNAL: Final = "spine.stop"
STREAM_SIGNAL: Final = "spine.stream"
STOP_TURN_SIGNAL: Final = "spine.stop_turn"
PUT_SIGNAL: Final = "spine.put"
CHILD_SIGNAL: Final = "spine.child"
REPORT_END_SIGNAL: Final = "spine.report_end"
CHARGE_SIGNAL: Final = "spine.charge"
DONE_SIGNAL: Final = "spine.done"

TURN_UPDATE: Final = "spine.turn"
DECIDE_UPDATE: Final = "spine.decide"
TAKE_UPDATE: Final = "spine.take"
CLAIM_UPDATE: Final = "spine.claim"

SPENT_QUERY: Final = "spine.spent"

STATUS_MEMO: Final = "spine"
EXPIRED_MEMO: Final = "spine.expired"
STATUS_ATTRIBUTE: Final = "SpineStatus"
AGENT_ATTRIBUTE: Final = "SpineAgent"

# Types of the ApplicationErrors that reach a history.
UNKNOWN_AGENT: Final = "spine.UnknownAgent"
AGENT_BROKEN: Final = "spine.AgentBroken"
BAD_REQUEST: Final = "spine.BadRequest"
SESSION_BUSY: Final = "spine.SessionBusy"
DECISION_REFUSED: Final = "spine.DecisionRefused"
CONVERSATION_LOST: Final = "spine.ConversationLost"
STEP_FAILED: Final = "spine.StepFailed"
WORKER_STOPPING: Final = "spine.WorkerStopping"
POSTPONED: Final = "spine.RetryLater"
CODEC_AWAY: Final = "spine.CodecAway"
NOT_DONE: Final = "spine.NotDone"
CROWDED: Final = "spine.Crowded"
NOT_LOCALLY: Final = "spine.NotLocally"

# Why a workflow was terminated; whoever reads the session takes it as gone.
DELETED: Final = "deleted by spine_temporal.TemporalCheckpoint"

WORKFLOW_ID_PREFIX: Final = "spine-"
CHECKPOINT_ID_PREFIX: Final = "spine.checkpoint-"
BUDGET_ID_PREFIX: Final = "spine.budget-"
RATE_ID_PREFIX: Final = "spine.rate-"
ONCE_ID_PREFIX: Final = "spine.once-"
DEFAULT_TASK_QUEUE: Final = "spine"
CHECKPOINT_TASK_QUEUE: Final = "spine-checkpoint"
