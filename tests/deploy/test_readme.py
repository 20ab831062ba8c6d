"""The deployment page: what it names is there, what it shows works."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.manifests import KUBERNETES, RENDERED, charted, environment, kustomized, pods
from tests.deploy.repository import ROOT, run_installed

PAGE: Final = (ROOT / "deploy" / "README.md").read_text()
# What the page names and another change brings: from then on it has to be there.
COMING: Final = [
    path
    for path in (
        "deploy/systemd",
        "deploy/cloudrun",
        "deploy/lambda",
        "spine_temporal/cli/drain.py",
        "spine_temporal/docs/settings.md",
    )
    if not (ROOT / path).exists()
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def commands() -> list[str]:
    """What the page says to type, without comments."""
    typed = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    in_table = re.findall(r"\| `([a-z][^`]*)` \|$", PAGE.partition("\n\n**")[0], re.MULTILINE)
    return [*in_table, *(line.partition("   #")[0].strip() for line in typed)]


def test_page_begins_with_the_ways_to_run_workers() -> None:
    lines = PAGE.splitlines()

    assert lines[2] == "| way | when | command |"
    assert len([line for line in lines[4:16] if line.startswith("| ")]) >= 10


def links() -> list[str]:
    return sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE)))


@pytest.mark.parametrize("link", links())
def test_every_link_leads_somewhere(link: str, request: pytest.FixtureRequest) -> None:
    target = (ROOT / "deploy" / link).resolve().relative_to(ROOT)
    if str(target) in COMING:
        request.applymarker(pytest.mark.xfail(reason="it comes", strict=True))

    assert (ROOT / target).exists()


def exists(command: str) -> bool:
    """Whether a command is one, as far as can be known without a cluster."""
    program, *arguments = shlex.split(command.partition(">")[0])
    match program:
        case "spine-temporal" | "temporal":
            words = arguments[: next((i for i, a in enumerate(arguments) if a.startswith("-")), len(arguments))]
            helped = run_installed(program, *words, "--help", env={"COLUMNS": "200"})
            return f"{program} {' '.join(words)} " in helped.stdout and all(
                a in helped.stdout for a in arguments if a.startswith("--")
            )
        case "kubectl" if "-k" in arguments:
            folder = arguments[arguments.index("-k") + 1]
            return folder == "production" or bool(kustomized(ROOT / folder))
        case "kubectl":
            words = [a for a in arguments if not a.startswith("-") and a != "spine"]
            of_kind = words[: 3 if words[1] == "secret" else 2]
            return f"kubectl {' '.join(of_kind)} " in run_installed("kubectl", *of_kind, "--help").stdout
        case "helm":
            given = [arguments[i + 1].split("=", 1) for i, a in enumerate(arguments) if a == "--set"]
            values = {key.split(".")[0]: {key.split(".")[1]: value} for key, value in given}
            return (ROOT / arguments[3]).is_dir() and bool(charted(values))
        case "docker":
            return (ROOT / arguments[arguments.index("-f") + 1]).is_file()
        case "python":
            return (ROOT / arguments[0]).is_file()
        case "gcloud":
            return (ROOT / arguments[-1]).is_file()
        case "systemctl":
            return (ROOT / "deploy" / "systemd" / f"{arguments[-1]}.service").is_file()
        case "cp" | "sed" | "echo":
            return True  # they are run below
        case _:
            return False


@pytest.mark.parametrize("command", commands())
def test_every_command_exists(command: str, request: pytest.FixtureRequest) -> None:
    words = {
        "systemctl": "deploy/systemd",
        "gcloud": "deploy/cloudrun",
        "spine-temporal drain": "spine_temporal/cli/drain.py",
    }
    if any(command.startswith(word) and path in COMING for word, path in words.items()):
        request.applymarker(pytest.mark.xfail(reason="it comes", strict=True))

    assert exists(command)


def test_command_that_does_not_exist_is_found() -> None:
    for command in (
        "spine-temporal deploy",
        "spine-temporal approvals --everywhere",
        "temporal worker deployment set-current-build --build-id 1",
        "kubectl rollout await deployment/agent-worker",
        "helm upgrade --install agents deploy/helm/other -n spine",
        "python workers/gpu_worker.py",
        "docker compose -f deploy/other.yaml up",
        "nomad run worker",
    ):
        assert not exists(command), command


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert {target for target in re.findall(r"`make ([a-z]+)`", PAGE) if f"\n{target}:" not in makefile} == set()


def test_overlay_of_ones_own_is_built_as_it_is_shown(tmp_path: Path) -> None:
    (shown,) = blocks("yaml")
    shutil.copytree(KUBERNETES, tmp_path / "deploy" / "kubernetes")
    (tmp_path / "production").mkdir()
    (tmp_path / "production" / "kustomization.yaml").write_text(shown)

    built = kustomized(tmp_path / "production")
    (settings,) = [d for d in built if d["kind"] == "ConfigMap"]
    deployments = {d["metadata"]["name"]: d["spec"]["template"]["spec"] for d in built if d["kind"] == "Deployment"}

    assert settings["data"]["TEMPORAL_NAMESPACE"] == "agents.a1b2c"
    assert settings["data"]["SPINE_TEMPORAL_PROJECT"] == "/project"
    assert {s["containers"][0]["image"] for s in deployments.values()} == {"registry.example.com/agents:1.4.2"}
    for name in ("agent-worker", "tool-worker"):
        container = deployments[name]["containers"][0]
        assert container["envFrom"][0]["configMapRef"]["name"] == settings["metadata"]["name"]
        assert "SPINE_TEMPORAL_API_KEY_FILE" in {entry["name"] for entry in container["env"]}


def test_next_build_stands_beside_the_former(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "deploy" / "kubernetes")
    for command in commands():
        if command.split()[0] in {"cp", "sed", "echo"}:
            subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)

    built = kustomized(tmp_path / "deploy" / "kubernetes" / "overlays" / "keda")
    workers = {
        d["metadata"]["name"]: d["spec"]["selector"]["matchLabels"]["spine-temporal/build"]
        for d in built
        if d["kind"] == "Deployment" and "worker" in d["metadata"]["name"]
    }
    versions = [
        t["metadata"]["workerDeploymentBuildId"]
        for d in built
        if d["kind"] == "ScaledObject"
        for t in d["spec"]["triggers"]
        if t["type"] == "temporal"
    ]

    assert workers == {f"{of}-worker-{build}": build for of in ("agent", "tool") for build in ("build-1", "build-2")}
    assert sorted(versions) == ["build-1", "build-1", "build-2", "build-2"]
    assert "build-1" not in "".join(str(d) for d in built if "build-2" in d["metadata"]["name"])


def test_settings_table_has_every_variable_that_a_manifest_sets() -> None:
    in_table = set(re.findall(r"`((?:SPINE_)?TEMPORAL_[A-Z_]+)`", section("Settings")))
    given = {variable for name in RENDERED for _, pod in pods(name) for variable in environment(name, pod)}

    # TLS beyond a client certificate is of the chart's values alone.
    assert given - {"TEMPORAL_TLS_SERVER_NAME"} <= in_table
    assert {"SPINE_TEMPORAL_API_KEY_FILE", "TEMPORAL_TLS_CLIENT_KEY_PATH"} <= in_table
