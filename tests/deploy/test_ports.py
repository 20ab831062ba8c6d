"""The ports: a worker and a codec server may share a machine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spine_temporal.codec_server.settings import server_settings
from tests.deploy.repository import ROOT, service


def health_ports() -> dict[str, int]:
    """By file: the port on which its workers answer health checks."""
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.suffix not in (".md", ".pyc")]
    found = {str(path.relative_to(ROOT)): _port(path.read_text()) for path in files}
    return {name: port for name, port in found.items() if port is not None}


def _port(text: str) -> int | None:
    found = re.search(r"SPINE_TEMPORAL_HEALTH_ADDRESS[=:] ?[\d.]+:(\d+)", text)
    return int(found[1]) if found is not None else None


def test_workers_answer_on_one_port_everywhere() -> None:
    ports = health_ports()

    assert set(ports) == {
        "deploy/Dockerfile",
        "deploy/systemd/spine-temporal-worker.service",
        "deploy/kubernetes/base/shared/settings.env",
        "deploy/helm/spine-temporal-worker/templates/_worker.tpl",
    }
    assert len(set(ports.values())) == 1


def test_it_is_not_the_codec_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, ROOT / "deploy" / "stack_keys.py", tmp_path], timeout=60, check=True)
    for name, value in service("codec-server")["environment"].items():
        monkeypatch.setenv(name, value.replace("/keys/", f"{tmp_path}/"))
    monkeypatch.delenv("SPINE_TEMPORAL_CODEC_PORT")
    _server, _host, port = server_settings()

    assert port not in health_ports().values()
