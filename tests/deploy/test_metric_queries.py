"""Every query of the alerts and the dashboard, and the names in them."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest
import yaml

from spine_temporal.contracts import metric_names
from tests.deploy.queries import Query, queries, selectors
from tests.deploy.repository import ROOT
from tests.deploy.test_alerts import promtool

GOLDEN: Final = ROOT / "tests" / "features" / "telemetry" / "golden_metrics.txt"
# Prometheus's own, of the alerts that fire.
_OF_PROMETHEUS: Final = {"ALERTS"}
_SUFFIX: Final = re.compile(r"_(total|(seconds|bytes|usd)(_(bucket|sum|count))?)$")
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? ")

each_query = pytest.mark.parametrize("query", queries(), ids=str)


def ours() -> set[str]:
    """The names that the package counts by."""
    constants = [value for name, value in vars(metric_names).items() if name.isupper() and isinstance(value, str)]
    return {value for value in constants if value.startswith(metric_names.PREFIX) and value != metric_names.PREFIX}


def golden() -> dict[str, set[str]]:
    """Labels by metric, as a worker has exported them."""
    if not GOLDEN.exists():
        pytest.skip(f"{GOLDEN.relative_to(ROOT)} is not recorded yet")
    found = defaultdict[str, set[str]](set)
    for line in GOLDEN.read_text().splitlines():
        if sample := _SAMPLE.match(line):
            found[sample[1]].update(re.findall(r'(\w+)="', sample[2] or ""))
    return dict(found)


@each_query
def test_query_asks_for_metrics_by_name(query: Query) -> None:
    names = [selector.name for selector in selectors(query.text)]

    assert names
    assert all(names)


@each_query
def test_names_of_ours_are_those_of_the_package(query: Query) -> None:
    asked = {str(selector.name) for selector in selectors(query.text)}
    of_package = {_SUFFIX.sub("", name) for name in asked if name.startswith(metric_names.PREFIX)}

    assert of_package <= ours()


def test_prometheus_itself_reads_every_query(tmp_path: Path) -> None:
    recorded = [{"record": f"query:{number}", "expr": query.text} for number, query in enumerate(queries())]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": recorded}]}))

    checked = promtool("check", "rules", file)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"SUCCESS: {len(recorded)} rules found" in checked.stdout


@each_query
def test_worker_exports_what_the_query_asks_for(query: Query) -> None:
    exported = golden()

    for selector in selectors(query.text):
        if selector.name in _OF_PROMETHEUS:
            continue
        assert selector.name in exported, query.text
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= exported[str(selector.name)], query.text
