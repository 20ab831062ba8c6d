"""What a run has cost, and of how many tokens nobody knew the price."""

import pytest
from spine_core import Message, Usage

from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.journal.counters import Progress, Spent, known_cost_usd
from spine_temporal.journal.entries import ConversationRestored, SubagentDone
from tests.rooms.journal.entries import begun, calling, progress_of, step_begun, step_done, tool_begun, tool_delegated

SAID = Message.assistant("otters")


def used(cost_usd: float, tokens: int = 10) -> Usage:
    return Usage(input_tokens=tokens, cost_usd=cost_usd)


@pytest.mark.parametrize(
    ("usages", "free", "cost_usd", "unpriced"),
    [
        ([], False, 0.0, 0),
        ([used(0.5)], False, 0.5, 0),
        ([used(0.0)], False, None, 10),
        ([used(0.0)], True, 0.0, 0),
        ([used(0.0, tokens=0)], False, 0.0, 0),
        ([used(0.5), used(0.0)], False, None, 10),
        ([used(float("nan"))], False, None, 0),
        ([used(float("inf"))], False, None, 0),
    ],
    ids=["nothing", "priced", "no price", "free", "cached", "in part", "nan", "inf"],
)
def test_a_cost_that_nobody_knows_is_no_number(
    usages: list[Usage], free: bool, cost_usd: float | None, unpriced: int
) -> None:
    steps = [
        each
        for number, usage in enumerate(usages, 1)
        for each in (step_begun(number), step_done(number, SAID, usage=usage, free=free))
    ]

    progress = progress_of(*begun(), *steps)

    assert (known_cost_usd(progress.spent), progress.unpriced_tokens) == (cost_usd, unpriced)


def test_what_an_agent_below_used_counts_with_what_is_unknown_of_it() -> None:
    outcome = SubagentOutcome(answer="found", reason="final", usage=used(0.5, 20), unpriced_tokens=5)

    progress = progress_of(
        *begun(),
        step_begun(1),
        step_done(1, calling("ask"), usage=used(0.25)),
        tool_begun(0),
        tool_delegated(0),
        SubagentDone(Position(1, 0), outcome),
    )

    assert (progress.usage.cost_usd, progress.unpriced_tokens) == (0.75, 5)
    assert known_cost_usd(progress.spent) is None


def test_what_a_conversation_had_used_before_is_not_the_runs_own() -> None:
    before = Progress(step=3, usage=used(2.0, 100), unpriced_tokens=40, tenant_id="acme")

    progress = progress_of(
        *begun(),
        ConversationRestored("r", before),
        step_begun(4),
        step_done(4, SAID, usage=used(0.5)),
    )

    assert (progress.step, progress.usage.total_tokens, progress.tenant_id) == (4, 110, "acme")
    assert progress.own == Spent(1, used(0.5), 0)
    assert known_cost_usd(progress.own) == 0.5
    assert known_cost_usd(progress.spent) is None
