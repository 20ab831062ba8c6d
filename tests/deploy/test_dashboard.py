"""The dashboard, as Grafana would lay it out."""

import itertools
import re
from typing import Any

import pytest
import yaml

from tests.deploy.queries import dashboard, shown
from tests.deploy.repository import ROOT, service

PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"


def place(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """The cells of the grid that a panel takes."""
    at = panel["gridPos"]
    return set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))


def test_panels_do_not_lie_on_one_another() -> None:
    for one, other in itertools.combinations(dashboard()["panels"], 2):
        assert place(one).isdisjoint(place(other)), (one["title"], other["title"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in dashboard()["panels"])


def test_panels_have_ids_of_their_own_and_what_a_reader_needs() -> None:
    ids = [panel["id"] for panel in dashboard()["panels"]]

    assert len(set(ids)) == len(ids)
    assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in shown())
    for panel in shown():
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_every_variable_that_a_query_uses_is_on_the_dashboard() -> None:
    there = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = {
        name
        for panel in shown()
        for target in panel["targets"]
        for name in re.findall(r"\$\{?(\w+)", f"{target['expr']} {target['datasource']['uid']}")
    }

    assert {name for name in used if not name.startswith("__")} == there


@pytest.mark.parametrize(
    "shows",
    [
        "spine_turns_total",
        "spine_steps_total",
        "spine_step_duration_seconds_bucket",
        "spine_tool_calls_total",
        'outcome="error"',
        "spine_tokens_total",
        "spine_request_cost_usd_sum",
        "spine_approvals_waiting",
        "spine_oldest_approval_age_seconds",
        "spine_cache_lookups_total",
        "spine_history_size_bytes_bucket",
        "temporal_worker_task_slots_available",
        "temporal_num_pollers",
        "temporal_activity_schedule_to_start_latency_seconds_bucket",
    ],
)
def test_dashboard_shows(shows: str) -> None:
    assert any(shows in target["expr"] for panel in shown() for target in panel["targets"])


def test_grafana_finds_the_dashboard_where_the_compose_file_puts_it() -> None:
    provider = yaml.safe_load((PROVISIONING / "dashboards" / "agents.yaml").read_text())["providers"][0]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in service("grafana")["volumes"]}

    assert mounted[provider["options"]["path"]] == "./grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./grafana/provisioning"


def test_grafana_asks_the_prometheus_of_the_compose_file() -> None:
    source = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())["datasources"][0]

    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in service("grafana")["depends_on"]
