"""All of spine's middleware, each with a script that makes it act."""

from typing import Final

from pydantic import BaseModel
from spine_backends.memory import BufferMemory
from spine_core import StopReason
from spine_core.testing import calls, text
from spine_middleware import (
    Cache,
    CircuitBreaker,
    Compaction,
    ConsoleLogger,
    ContentPolicy,
    CostTracking,
    Idempotency,
    LoopGuard,
    MemoryRecall,
    ModelFallback,
    PIIRedaction,
    PromptInjectionScreen,
    RateLimit,
    Recorder,
    Replayer,
    Retry,
    Sandbox,
    StructuredOutput,
    TenantBudget,
    ToolOutputTruncation,
    ToolTimeout,
)

from tests.features.spine_middleware.scenes import NOTE, OTTER, OVERLOADED, PAY, SEAL, SLOW, Case, Script


class Answer(BaseModel):
    """What `StructuredOutput` is asked for."""

    city: str
    degrees: float


class Console:
    """Keeps what it is to print."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, line: str) -> None:
        """The line of a run's start names its session, which is another each time."""
        self.lines.append("▶" if "▶" in line else line)


WORDS: Final = (text("warm"), text('{"city": "Bergen"}'), text('{"city": "Bergen", "degrees": 21.5}'))
RECORDED: Final = {
    "model": [calls(OTTER).model_dump(mode="json"), text("on tape").model_dump(mode="json")],
    "tool": ["otters, on tape"],
}

CASES: Final = {
    "Cache": Case(
        Cache,
        (calls(OTTER), text("done"), text("never")),
        inputs=("go", "go"),
        shown=lambda cache: (cache.hits, cache.misses),
    ),
    "CircuitBreaker": Case(
        lambda: CircuitBreaker(threshold=2),
        (OVERLOADED, OVERLOADED, text("never")),
        StopReason.ERROR,
        inputs=("go", "go on", "and now?"),
        one_session=True,
        shown=lambda breaker: (breaker.failures, breaker.open_until),
    ),
    "Compaction": Case(
        lambda: Compaction(max_messages=3, keep_last=2), (*[calls(OTTER), calls(SEAL)] * 2, text("done"))
    ),
    "ConsoleLogger": Case(
        lambda: ConsoleLogger(timestamp=False, console=Console()),
        (calls(OTTER, ("nowhere", {}), ("pay", {"amount": "much"}), content="let me see"), OVERLOADED),
        StopReason.ERROR,
        shown=lambda logger: logger._console.lines,
    ),
    "ContentPolicy": Case(lambda: ContentPolicy(banned=["bomb"]), (text("a bomb"),), StopReason.GUARDRAIL),
    "CostTracking": Case(lambda: CostTracking(2e5, 1e6), (calls(OTTER), text("done")), StopReason.MAX_COST),
    "Idempotency": Case(
        lambda: Idempotency(tools=["pay"]),
        (calls(PAY, OTTER), text("paid"), calls(PAY, OTTER), text("paid before")),
        inputs=("pay", "pay once more"),
        one_session=True,
    ),
    "LoopGuard": Case(
        LoopGuard,
        (calls(OTTER), calls(OTTER), text("done"), calls(OTTER)),
        StopReason.LOOP,
        inputs=("go", "go on"),
        one_session=True,
    ),
    "MemoryRecall": Case(
        lambda: MemoryRecall(BufferMemory()),
        (text("seven otters"), text("seven")),
        inputs=("count the otters", "how many were there?"),
        shown=lambda recall: [record.content for record in recall.memory._records],
    ),
    "ModelFallback": Case(
        lambda: ModelFallback(Script((OVERLOADED, text("worse"))), Script((text("better"),))), (OVERLOADED,)
    ),
    "PIIRedaction": Case(PIIRedaction, (calls(OTTER), text("call 555-123-4567"))),
    "PromptInjectionScreen": Case(PromptInjectionScreen, (calls(OTTER), text("done"))),
    "RateLimit": Case(lambda: RateLimit(1, per_s=60.0), (calls(OTTER), text("done")), shown=lambda limit: limit.tokens),
    "Recorder": Case(
        Recorder, (calls(OTTER, PAY, ("nowhere", {})), text("done")), shown=lambda recorder: recorder.recording()
    ),
    "Replayer": Case(lambda: Replayer(RECORDED), (text("live"),), inputs=("go", "go live")),
    "Retry": Case(lambda: Retry(base=0.0), (OVERLOADED, OVERLOADED, text("done"))),
    # Without the limit of memory: on the kernel alone it counts what is this process's, more than the default.
    "Sandbox": Case(lambda: Sandbox(timeout_s=60.0, max_memory_mb=0), (calls(NOTE, PAY), text("done"))),
    "StructuredOutput": Case(lambda: StructuredOutput(Answer), WORDS),
    "TenantBudget": Case(
        lambda: TenantBudget(max_tokens=20),
        (text("dear"), text("never")),
        StopReason.MAX_TOKENS,
        inputs=("go", "go on", "and now?"),
        one_session=True,
        shown=lambda budget: budget.spend(None),
    ),
    "ToolOutputTruncation": Case(lambda: ToolOutputTruncation(max_chars=10), (calls(OTTER, NOTE), text("done"))),
    "ToolTimeout": Case(lambda: ToolTimeout(0.0, tools=["slow"]), (calls(SLOW, OTTER), text("done"))),
}

OTHERWISE: Final = {
    "ContentPolicy, of the input": Case(
        lambda: ContentPolicy(banned=["bomb"]), (text("no"),), StopReason.GUARDRAIL, inputs=("a bomb",)
    ),
    "CostTracking, overwriting": Case(
        lambda: CostTracking(1.0, 2.0, overwrite=True), (calls(OTTER, cost_usd=90.0), text("done"))
    ),
    "Idempotency, of all tools": Case(Idempotency, (calls(NOTE, NOTE, ("nowhere", {})), text("done"))),
    "ModelFallback, all of them failing": Case(
        lambda: ModelFallback(Script((OVERLOADED,))), (RuntimeError("no"),), StopReason.ERROR
    ),
    "PromptInjectionScreen, blocking": Case(
        lambda: PromptInjectionScreen(action="block"), (calls(OTTER, OTTER), text("done")), StopReason.GUARDRAIL
    ),
    "Retry, in vain": Case(lambda: Retry(base=0.0), (OVERLOADED,), StopReason.ERROR),
    "StructuredOutput, beyond repair": Case(
        lambda: StructuredOutput(Answer, max_repairs=1), (text("warm"),), StopReason.ERROR
    ),
    "ToolTimeout, of all tools": Case(lambda: ToolTimeout(0.0), (calls(OTTER, NOTE, SLOW), text("done"))),
}
