"""What the image promises."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

from tests.deploy.repository import DOCKERFILE, ROOT, run_installed, stages, uv


def final(instruction: str) -> list[str]:
    return [argument for name, argument in stages()[-1] if name == instruction]


def test_hadolint_finds_nothing_to_complain_about() -> None:
    judged = run_installed("hadolint", DOCKERFILE)

    assert (judged.returncode, judged.stdout) == (0, "")


def test_worker_runs_as_a_user_other_than_root() -> None:
    user, group = final("USER")[-1].split(":")

    # By number: an orchestrator that refuses root cannot look a name up.
    assert int(user) > 0
    assert int(group) > 0


def test_sigterm_reaches_the_worker_because_no_shell_starts_it() -> None:
    (entrypoint,) = final("ENTRYPOINT")

    assert json.loads(entrypoint) == ["python", "/app/workers/agent_worker.py"]


def test_image_holds_the_environment_with_the_workers_and_no_build_tools() -> None:
    assert final("RUN") == []
    assert [argument.split()[-1] for argument in final("COPY")] == ["/opt/venv", "/app/", "/app/workers", "/app/"]


def test_probe_needs_no_shell() -> None:
    (healthcheck,) = final("HEALTHCHECK")
    (asks,) = re.findall(r"CMD (\[.*\])$", healthcheck)

    assert json.loads(asks) == ["python", "-I", "-S", "/app/healthcheck.py"]


def test_labels_name_the_version_of_the_package() -> None:
    (label,), versions = final("LABEL"), [argument for argument in final("ARG") if argument.startswith("VERSION=")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert versions == [f"VERSION={project['version']}"]
    assert 'org.opencontainers.image.version="$VERSION"' in label
    assert f'org.opencontainers.image.licenses="{project["license"]}"' in label


def test_extras_of_the_image_are_those_of_the_package() -> None:
    (extras,) = re.findall(r'^ARG EXTRAS="(.*)"$', DOCKERFILE.read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    chosen = re.findall(r"--extra (\S+)", extras)
    assert chosen
    assert set(chosen) <= set(project["optional-dependencies"])


def test_bill_of_materials_is_made_from_what_is_installed() -> None:
    installed, exported = (
        next(argument for stage in stages() for name, argument in stage if name == "RUN" and command in argument)
        for command in ("uv sync", "uv export")
    )

    assert installed == exported
    assert installed.count("--frozen --no-default-groups") == 2
    assert "--format cyclonedx1.5" in exported


def test_bill_of_materials_names_every_package_with_its_hash(tmp_path: Path) -> None:
    (extras,) = re.findall(r'^ARG EXTRAS="(.*)"$', DOCKERFILE.read_text(), re.MULTILINE)
    (command,) = re.findall(r"uv (export [^$]*)\$EXTRAS (.*) --output-file", DOCKERFILE.read_text())
    arguments = " ".join([command[0], extras, command[1]]).split()

    subprocess.run([uv(), *arguments, "--output-file", tmp_path / "sbom.json"], cwd=ROOT, timeout=60, check=True)

    bill = json.loads((tmp_path / "sbom.json").read_text())
    from_outside = [each for each in bill["components"] if each.get("purl")]
    assert bill["bomFormat"] == "CycloneDX"
    assert {"cryptography", "pydantic", "spinekit", "temporalio"} <= {each["name"] for each in from_outside}
    assert all(file["hashes"] for each in from_outside for file in each["externalReferences"])


def test_environment_is_built_from_the_lock_file_alone() -> None:
    syncs = [argument for stage in stages() for name, argument in stage if name == "RUN" and "uv sync" in argument]

    assert syncs
    assert all("--frozen" in sync and "--no-default-groups" in sync for sync in syncs)
    assert "--no-editable" in syncs[-1]


def test_image_is_built_with_the_uv_that_sets_up_a_checkout() -> None:
    (of_image,) = re.findall(r"uv==([\d.]+)", DOCKERFILE.read_text())
    (of_checkout,) = re.findall(r"^uv_version=([\d.]+)$", (ROOT / ".ci" / "bootstrap.sh").read_text(), re.MULTILINE)

    assert of_image == of_checkout


def test_everything_the_image_copies_reaches_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = [
        source
        for stage in stages()
        for name, argument in stage
        if name == "COPY" and "--from=" not in argument
        for source in argument.split()[:-1]
    ]

    assert "*" in rules
    assert set(copied) == let_in
    assert all(Path(ROOT, source).exists() for source in copied)
