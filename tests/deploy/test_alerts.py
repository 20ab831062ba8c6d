"""The alerts, and whether Prometheus's own program proves them."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.queries import ALERT_TESTS, ALERTS, PROMETHEUS, rules
from tests.deploy.repository import ROOT

# What the agents' operators asked to be woken for.
_ASKED_FOR: Final = {
    "SpineNoPollers",
    "SpineNonDeterminism",
    "SpinePayloadTooLarge",
    "SpineApprovalOverdue",
    "SpineProviderErrors",
    "SpineSpendRateHigh",
    "SpineHistoryNearLimit",
    "SpineKeyMissing",
}


def promtool(*arguments: str | Path, cwd: Path = ALERTS.parent) -> subprocess.CompletedProcess[str]:
    """Run Prometheus's own checker; where it is not installed the test is skipped, or fails in CI."""
    program = shutil.which("promtool")
    if program is None:
        why = "there is no promtool on PATH; on Debian: apt-get install prometheus"
        if os.environ.get("SPINE_TEMPORAL_TEST_SERVERS") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def each_rule() -> list[Any]:
    return [pytest.param(rule, id=rule["alert"]) for rule in rules()]


def test_what_operators_asked_for_is_there() -> None:
    assert {rule["alert"] for rule in rules()} >= _ASKED_FOR


def test_prometheus_takes_configuration_and_rules() -> None:
    checked = promtool("check", "config", PROMETHEUS.name)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    tested = promtool("test", "rules", ALERT_TESTS.name)

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("rule", each_rule())
def test_an_alert_that_never_fires_is_found(rule: dict[str, Any], tmp_path: Path) -> None:
    changed = yaml.safe_load(ALERTS.read_text())
    for group in changed["groups"]:
        for each in group["rules"]:
            if each["alert"] == rule["alert"]:
                each["expr"] = "vector(0) > 1"
    (tmp_path / ALERTS.name).write_text(yaml.safe_dump(changed))
    shutil.copy(ALERT_TESTS, tmp_path)

    tested = promtool("test", "rules", ALERT_TESTS.name, cwd=tmp_path)

    assert tested.returncode != 0
    assert rule["alert"] in tested.stdout + tested.stderr


@pytest.mark.parametrize("rule", each_rule())
def test_alert_leads_to_a_runbook_that_knows_it(rule: dict[str, Any]) -> None:
    runbook = (ROOT / rule["annotations"]["runbook"]).read_text()

    assert f"`{rule['alert']}`" in runbook
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
