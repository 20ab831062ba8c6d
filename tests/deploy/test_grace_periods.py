"""Whoever stops a worker gives it the time that it takes, in every way there is to run one."""

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from spine_temporal.worker.grace import GRACEFUL_SHUTDOWN_S, grace_period_s
from tests.deploy.manifests import RENDERED, charted, environment, pods
from tests.deploy.repository import ROOT

VARIABLE: Final = "SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S"
DEPLOY: Final = ROOT / "deploy"
# Cloud Run kills ten seconds after SIGTERM, which no setting changes: the kill is the deadline there.
CLOUD_RUN_S: Final = 10.0
SPARE_S: Final = 5.0

type Stop = tuple[str, float, float]
"""What is stopped, the seconds that it is given, the seconds that it needs."""


def seconds(written: str | int) -> float:
    """A duration as compose and systemd write it, in seconds or minutes."""
    text = str(written).strip().removesuffix("s").removesuffix("sec")
    return float(text.removesuffix("m").removesuffix("min")) * 60 if text[-1] in "mn" else float(text)


def graceful_s(variables: Mapping[str, str | None]) -> float:
    """What is in flight has these to finish."""
    return float(variables.get(VARIABLE) or GRACEFUL_SHUTDOWN_S)


def needed_s(variables: Mapping[str, str | None]) -> float:
    """The formula, for a worker with these variables."""
    return grace_period_s(graceful_s(variables))


def of_compose(document: dict[str, Any]) -> Iterator[Stop]:
    for name, service in document.get("services", {}).items():
        command = str(service.get("entrypoint", "/app/workers/"))
        if "spine-temporal-worker" in service.get("image", "") and "/app/workers/" in command:
            own = dict(service.get("environment", {}))
            yield name, seconds(service["stop_grace_period"]), needed_s(own)


def of_cloud_run(document: dict[str, Any]) -> Iterator[Stop]:
    for container in containers(document):
        own = {entry["name"]: entry.get("value") for entry in container.get("env", ())}
        yield document["metadata"]["name"], CLOUD_RUN_S, graceful_s(own) + SPARE_S


def containers(node: Any) -> Iterator[dict[str, Any]]:
    """Each container anywhere in a document."""
    if isinstance(node, dict):
        yield from node.get("containers", ())
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from containers(child)


def of_systemd(text: str) -> Iterator[Stop]:
    # `Environment` may stand there several times, which configparser takes for an error.
    lines = [line.removeprefix("Environment=") for line in text.splitlines() if line.startswith("Environment=")]
    variables = {name: value for line in lines for name, _, value in [line.strip('"').partition("=")]}
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(text)
    yield "unit", seconds(unit["Service"]["TimeoutStopSec"]), needed_s(variables)


def stops(file: Path) -> list[Stop]:
    """The workers that a file runs; kustomize and Helm are asked for what they render."""
    if file.suffix == ".service":
        return list(of_systemd(file.read_text()))
    found: list[Stop] = []
    for document in yaml.safe_load_all(file.read_text()):
        if isinstance(document, dict) and "services" in document:
            found += of_compose(document)
        elif isinstance(document, dict) and str(document.get("apiVersion", "")).startswith("run.googleapis.com/"):
            found += of_cloud_run(document)
    return found


def runs_a_worker(node: Any) -> bool:
    """Whether what is started anywhere in a document is a worker."""
    if isinstance(node, list):
        return any(runs_a_worker(child) for child in node)
    if not isinstance(node, dict):
        return False
    started = " ".join(str(node.get(key, "")) for key in ("image", "command", "entrypoint", "args"))
    ours = "spine-temporal-worker" in started and "entrypoint" not in node
    return ours or "_worker.py" in started or any(runs_a_worker(child) for child in node.values())


def is_of_a_worker(file: Path) -> bool:
    if file.suffix == ".service":
        return "worker" in file.read_text()
    return file.suffix in {".yaml", ".yml"} and runs_a_worker(list(yaml.safe_load_all(file.read_text())))


RENDERED_FOLDERS: Final = {DEPLOY / "kubernetes", DEPLOY / "helm"}
FILES: Final = [
    file for file in sorted(DEPLOY.rglob("*")) if not RENDERED_FOLDERS & set(file.parents) and is_of_a_worker(file)
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_file_gives_its_workers_the_time_that_they_take(file: Path) -> None:
    found = stops(file)

    assert found, "it runs a worker, and this test does not know how it stops one"
    assert [what for what, given, needed in found if given < needed] == []


@pytest.mark.parametrize("name", RENDERED)
def test_kubernetes_gives_its_workers_the_time_that_they_take(name: str) -> None:
    for what, pod in pods(name):
        assert pod["spec"]["terminationGracePeriodSeconds"] >= needed_s(environment(name, pod)), what


@pytest.mark.parametrize("in_flight_s", [0, 120])
def test_helm_computes_the_grace_period(in_flight_s: int) -> None:
    (deployment,) = [d for d in charted({"gracefulShutdownSeconds": in_flight_s}) if d["kind"] == "Deployment"]

    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == grace_period_s(in_flight_s)


def test_compose_file_is_among_those_that_are_looked_at() -> None:
    assert DEPLOY / "compose.yaml" in FILES


@pytest.mark.parametrize(
    ("written", "expected"), [("30s", 30), ("30", 30), (45, 45), ("2m", 120), ("2min", 120), ("35sec", 35)]
)
def test_durations_are_read(written: str | int, expected: float) -> None:
    assert seconds(written) == expected


def test_unit_that_kills_early_is_found() -> None:
    unit = "[Service]\nEnvironment=A=1\nEnvironment=SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S=60\nTimeoutStopSec=30\n"
    assert list(of_systemd(unit)) == [("unit", 30, 75)]
