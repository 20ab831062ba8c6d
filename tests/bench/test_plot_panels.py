"""What the plot shows of a bench.json."""

from typing import Any

import pytest

from tests.bench.plot_panels import Bar, panels, ratio_text, sides


def figure(side: str, ratio: float | None, **given: Any) -> dict[str, Any]:
    """A figure as bench.json has it."""
    of = {"name": "history bytes", "steps": 200, "size": 200, "runs": 1, "reason": "", "what": "", "value": ratio}
    return {**of, "side": side, "ratio": ratio, **given}


def test_nothing_compared_has_no_panel() -> None:
    assert panels([]) == []
    assert sides([]) == []


def test_figure_that_nobody_has_gets_no_panel() -> None:
    compared = [figure("bare", 1.0), figure("langgraph", None, name="events", reason="not done after 240 s")]

    assert [panel.title for panel in panels(compared)] == ["History bytes"]


def test_panel_shows_the_longest_runs_of_both_sizes() -> None:
    compared = [
        figure("bare", 1.0, steps=50),
        figure("ours", 9.9, steps=50),
        figure("bare", 1.0),
        figure("ours", 1.1),
        figure("ours", 1.05, size=4096),
    ]

    (panel,) = panels(compared)

    assert panel.bars == (Bar("bare", 200, 1.0), Bar("ours", 200, 1.1), Bar("ours", 4096, 1.05))
    assert panel.sizes == [200, 4096]
    assert panel.note == "200 steps; less is better"


def test_side_that_did_not_finish_has_a_bar_and_one_that_was_not_measured_has_none() -> None:
    compared = [
        figure("bare", 1.0, name="replay ms"),
        figure("local", None, name="replay ms"),
        figure("strands", None, name="replay ms", reason="failed"),
    ]

    (panel,) = panels(compared)

    assert panel.bars == (Bar("bare", 200, 1.0), Bar("strands", 200, None, "not finished"))


@pytest.mark.parametrize("counted", ["size", "count"])
def test_history_that_outgrew_its_limit_is_called_so(counted: str) -> None:
    reason = f"Workflow history {counted} exceeds limit."

    (panel,) = panels([figure("bare", 1.0), figure("strands", None, reason=reason)])

    assert panel.bars[1].shortfall == "history limit"


def test_cost_of_one_run_and_of_many_at_once_are_not_mixed() -> None:
    many = {"runs": 50, "steps": 300}
    compared = [
        figure("bare", 1.0, name="worker CPU ms per step"),
        figure("bare", 1.0, name="worker CPU ms per step", **many),
        figure("bare", 1.0, name="steps per second", **many),
    ]

    by_title = {panel.title: panel.note for panel in panels(compared)}

    assert by_title == {
        "Worker CPU per step": "200 steps; less is better",
        "Throughput": "50 runs of 300 steps at once; more is better",
    }


def test_sides_are_in_the_order_of_the_table() -> None:
    assert sides([figure("strands", 1.0), figure("bare", 1.0), figure("ours", 1.0)]) == ["bare", "ours", "strands"]


@pytest.mark.parametrize(("ratio", "text"), [(0.594, "0.59x"), (9.5, "9.50x"), (43.7, "44x")])
def test_ratio_has_as_many_digits_as_matter(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text
