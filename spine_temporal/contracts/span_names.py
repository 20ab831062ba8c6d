"""The names that spans bear: OpenTelemetry's conventions for GenAI, and ours.

The conventions are in development. They are pinned to the last version that OpenTelemetry has published a schema of
them for: since then they are kept in a repository of their own, whose schema has no address yet. Nothing here follows
an installed package, so no upgrade of one renames what a dashboard is built on.
"""

from typing import Final

SCHEMA_VERSION: Final = "1.41.0"
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{SCHEMA_VERSION}"
SCOPE: Final = "spine_temporal"
"""The name of the tracer."""

# Operations; a span's name is the operation, a space, and what it is done with.
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_TYPE: Final = "gen_ai.tool.type"
ERROR_TYPE: Final = "error.type"

# Content: only when it is asked for.
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"

# As Temporal's own interceptors name them.
WORKFLOW_ID: Final = "temporalWorkflowID"
RUN_ID: Final = "temporalRunID"

# Ours: the conventions have no word for these.
COST_USD: Final = "spine.cost_usd"
TURN: Final = "spine.turn"
STEP: Final = "spine.step"
STEPS: Final = "spine.steps"
CALL: Final = "spine.call"
ATTEMPT: Final = "spine.attempt"
STOP_REASON: Final = "spine.stop_reason"
DECISION: Final = "spine.decision"

# What a client does; the span's name goes on with the agent, or the tool.
START: Final = "spine.start"
DECIDE: Final = "spine.decide"
