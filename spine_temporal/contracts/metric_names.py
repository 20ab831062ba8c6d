"""The names that our metrics bear, beside the SDK's own, and what they are counted by.

With the suffixes that `metrics_runtime` chooses, Prometheus has `_total` behind counters, `_seconds` behind durations,
`_bytes` and `_usd` behind sizes and costs. Dashboards and alerts are built on these names: they never change.
"""

from typing import Final

PREFIX: Final = "spine_"

# Counters.
STEPS: Final = "spine_steps"
MODEL_REQUESTS: Final = "spine_model_requests"
PROVIDER_RETRIES: Final = "spine_provider_retries"
TOKENS: Final = "spine_tokens"
UNPRICED_REQUESTS: Final = "spine_unpriced_requests"
TOOL_CALLS: Final = "spine_tool_calls"
TURNS: Final = "spine_turns"
CONTINUED_AS_NEW: Final = "spine_continue_as_new"
APPROVALS_ASKED: Final = "spine_approvals_asked"
CACHE_LOOKUPS: Final = "spine_cache_lookups"
CODEC_FAILURES: Final = "spine_codec_failures"

# Histograms of durations.
STEP_DURATION: Final = "spine_step_duration"
MODEL_REQUEST_DURATION: Final = "spine_model_request_duration"
TOOL_DURATION: Final = "spine_tool_duration"
APPROVAL_WAIT: Final = "spine_approval_wait"
FOLD_DURATION: Final = "spine_fold_duration"

# Histograms of other things; the sum of the costs is what was spent.
REQUEST_COST: Final = "spine_request_cost"
HISTORY_SIZE: Final = "spine_history_size"

# Gauges, which a worker sets by asking the server. To their names no suffix is added.
APPROVALS_WAITING: Final = "spine_approvals_waiting"
OLDEST_APPROVAL_AGE: Final = "spine_oldest_approval_age_seconds"

# What they are counted by.
AGENT: Final = "agent"
PROVIDER: Final = "provider"
MODEL: Final = "model"
TOOL: Final = "tool"
OUTCOME: Final = "outcome"
DIRECTION: Final = "direction"
STOP_REASON: Final = "stop_reason"
RESULT: Final = "result"
OPERATION: Final = "operation"
