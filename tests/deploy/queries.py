"""The queries of the alerts and of the dashboard, and the metrics that they ask for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import promql_parser
import yaml

from tests.deploy.repository import ROOT

ALERTS: Final = ROOT / "deploy" / "prometheus" / "alerts.yaml"
ALERT_TESTS: Final = ROOT / "deploy" / "prometheus" / "alerts_test.yaml"
PROMETHEUS: Final = ROOT / "deploy" / "prometheus" / "prometheus.yaml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "dashboards" / "agents.json"

# Grafana puts these in before it asks.
_VARIABLES: Final = {"$__rate_interval": "5m", "$__range": "6h"}


@dataclass(frozen=True)
class Query:
    """A query, with where it stands."""

    place: str
    text: str

    def __str__(self) -> str:
        return self.place


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    found = json.loads(DASHBOARD.read_text())
    assert isinstance(found, dict)
    return found


def shown() -> list[dict[str, Any]]:
    """The panels of the dashboard that show something, without the rows' titles."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """All of them, as Prometheus gets them."""
    of_alerts = [Query(rule["alert"], rule["expr"]) for rule in rules()]
    return of_alerts + [Query(each.place, _filled_in(each.text)) for each in _of_dashboard()]


def _of_dashboard() -> Iterator[Query]:
    for panel in shown():
        for target in panel["targets"]:
            yield Query(f"{panel['title']} {target['refId']}", target["expr"])
    for annotation in dashboard()["annotations"]["list"]:
        yield Query(annotation["name"], annotation["expr"])


def _filled_in(text: str) -> str:
    for variable, value in _VARIABLES.items():
        text = text.replace(variable, value)
    return text


def selectors(text: str) -> list[promql_parser.VectorSelector]:
    """What a query asks for, each with its matchers.

    Raises:
        ValueError: it is no PromQL.
    """
    found: list[promql_parser.VectorSelector] = []

    def visit(part: promql_parser.Expr) -> bool:
        if isinstance(part, promql_parser.MatrixSelector):
            part = part.vector_selector
        if isinstance(part, promql_parser.VectorSelector):
            found.append(part)
        return True

    promql_parser.walk(promql_parser.parse(text), visit)
    return found
