"""Every query of the alerts and the dashboard, and the names in them."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest
import temporalio.bridge
import yaml

from tests.deploy.queries import Query, queries, selectors
from tests.deploy.repository import ROOT
from tests.deploy.test_alerts import promtool

GOLDEN: Final = ROOT / "tests" / "features" / "telemetry" / "golden_metrics.txt"
# Prometheus's own, of the alerts that fire.
_OF_PROMETHEUS: Final = {"ALERTS"}
_METRIC: Final = re.compile(r"^(counter|gauge|histogram) (\w+)\{(.*)\}$")
# The SDK's own, of what does not happen in the runs that were recorded: their names stand in its core.
_OF_FAILURES: Final = {
    "temporal_activity_execution_failed_total": {"activity_type", "failure_reason", "workflow_type"},
    "temporal_workflow_failed_total": {"workflow_type"},
    "temporal_workflow_canceled_total": {"workflow_type"},
    "temporal_sticky_cache_miss_total": set[str](),
}

each_query = pytest.mark.parametrize("query", queries(), ids=str)


def exported() -> dict[str, set[str]]:
    """Labels by series, as a worker has exported them."""
    found = defaultdict[str, set[str]](set)
    for line in GOLDEN.read_text().splitlines():
        described = _METRIC.match(line)
        assert described, line
        kind, name, labels = described.groups()
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix].update(labels.split(", "), {"le"} if suffix == "_bucket" else ())
    return found | {name: labels | {"namespace", "task_queue"} for name, labels in _OF_FAILURES.items()}


@each_query
def test_query_asks_for_metrics_by_name(query: Query) -> None:
    names = [selector.name for selector in selectors(query.text)]

    assert names
    assert all(names)


def test_prometheus_itself_reads_every_query(tmp_path: Path) -> None:
    recorded = [{"record": f"query:{number}", "expr": query.text} for number, query in enumerate(queries())]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": recorded}]}))

    checked = promtool("check", "rules", file)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"SUCCESS: {len(recorded)} rules found" in checked.stdout


@each_query
def test_worker_exports_what_the_query_asks_for(query: Query) -> None:
    series = exported()

    for selector in selectors(query.text):
        if selector.name in _OF_PROMETHEUS:
            continue
        assert selector.name in series, query.text
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= series[str(selector.name)], query.text


@each_query
def test_query_sums_by_labels_that_are_there(query: Query) -> None:
    series = exported()
    labels = set().union(*(series.get(str(selector.name), set()) for selector in selectors(query.text)))
    by = {label for group in re.findall(r"\bby \(([^)]*)\)", query.text) for label in group.split(",")}

    assert {label.strip() for label in by} <= labels | {"instance"}


@pytest.mark.parametrize("name", sorted(_OF_FAILURES))
def test_metric_of_failures_stands_in_the_core_of_the_sdk(name: str) -> None:
    (core,) = Path(temporalio.bridge.__file__).parent.glob("temporal_sdk_bridge*")

    assert name.removeprefix("temporal_").removesuffix("_total").encode() in core.read_bytes()
