"""The names that spans bear, pinned: one that changes here breaks the dashboards that are built on it."""

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.schemas import Schemas

from spine_temporal.contracts import span_names

PINNED = {
    "SCHEMA_VERSION": "1.41.0",
    "SCHEMA_URL": "https://opentelemetry.io/schemas/1.41.0",
    "SCOPE": "spine_temporal",
    "INVOKE_AGENT": "invoke_agent",
    "CHAT": "chat",
    "EXECUTE_TOOL": "execute_tool",
    "OPERATION": "gen_ai.operation.name",
    "PROVIDER": "gen_ai.provider.name",
    "REQUEST_MODEL": "gen_ai.request.model",
    "FINISH_REASONS": "gen_ai.response.finish_reasons",
    "INPUT_TOKENS": "gen_ai.usage.input_tokens",
    "OUTPUT_TOKENS": "gen_ai.usage.output_tokens",
    "CONVERSATION_ID": "gen_ai.conversation.id",
    "AGENT_NAME": "gen_ai.agent.name",
    "TOOL_NAME": "gen_ai.tool.name",
    "TOOL_CALL_ID": "gen_ai.tool.call.id",
    "TOOL_TYPE": "gen_ai.tool.type",
    "ERROR_TYPE": "error.type",
    "INPUT_MESSAGES": "gen_ai.input.messages",
    "OUTPUT_MESSAGES": "gen_ai.output.messages",
    "TOOL_ARGUMENTS": "gen_ai.tool.call.arguments",
    "TOOL_RESULT": "gen_ai.tool.call.result",
    "WORKFLOW_ID": "temporalWorkflowID",
    "RUN_ID": "temporalRunID",
    "COST_USD": "spine.cost_usd",
    "TURN": "spine.turn",
    "STEP": "spine.step",
    "STEPS": "spine.steps",
    "CALL": "spine.call",
    "ATTEMPT": "spine.attempt",
    "STOP_REASON": "spine.stop_reason",
    "DECISION": "spine.decision",
    "START": "spine.start",
    "DECIDE": "spine.decide",
}


def test_names_are_those_that_were_pinned() -> None:
    assert {name: value for name, value in vars(span_names).items() if name.isupper()} == PINNED


def test_names_of_the_conventions_are_names_that_they_have() -> None:
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}

    assert {value for value in PINNED.values() if value.startswith("gen_ai.")} <= known
    assert span_names.SCHEMA_URL in {each.value for each in Schemas}
