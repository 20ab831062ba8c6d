"""The Helm chart: what it refuses, and that it renders what kustomize does."""

import tomllib
from collections.abc import Iterator
from typing import Any

import helm_python
import jsonschema
import pytest
import yaml

from tests.deploy.manifests import CHART, VALUES, charted, documents, pods
from tests.deploy.repository import ROOT

_INFO = 1


@pytest.mark.parametrize("name", VALUES)
def test_helm_lint_finds_nothing(name: str) -> None:
    linted = helm_python.lint(CHART, VALUES[name], strict=True)

    assert linted["errors"] == []
    # "icon is recommended" is one.
    assert [message for message in linted["messages"] if message["severity"] > _INFO] == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"image": {"tag": "latest"}}, "/image/tag"),
    ({"image": {"digest": "sha256:short"}}, "/image/digest"),
    ({"temporal": {"address": "https://temporal.example.com"}}, "/temporal/address"),
    ({"temporal": {"apiKeySecret": {"name": "key"}, "tlsSecret": "tls"}}, "not"),
    ({"agentWorker": {"taskQueue": "a/b"}}, "/agentWorker/taskQueue"),
    ({"agentWorker": {"replica": 3}}, "replica"),
    ({"versioning": {"mode": "manual"}}, "/versioning/buildId"),
    ({"versioning": {"mode": "manual", "deploymentName": "__ours", "buildId": "v1"}}, "/versioning/deploymentName"),
    ({"versioning": {"mode": "controller"}, "autoscaling": {"kind": "keda"}}, "/autoscaling/kind"),
    ({"versioning": {"rollout": {"steps": [{"rampPercentage": 100, "pauseDuration": "1m"}]}}}, "rampPercentage"),
    ({"versioning": {"rollout": {"steps": []}}}, "/versioning/rollout/steps"),
    ({"autoscaling": {"kind": "hpa", "minReplicas": 0}}, "/autoscaling/minReplicas"),
    ({"codecServer": {"enabled": True}, "keysSecret": ""}, "/keysSecret"),
    ({"codecServer": {"origins": ["https://temporal.example.com/"]}}, "/codecServer/origins"),
    ({"extraEnv": [{"name": "TEMPORAL_WORKER_BUILD_ID", "value": "v1"}]}, "/extraEnv/0/name"),
    ({"networkPolicies": {"enabled": False}}, "networkPolicies"),
]


@pytest.mark.parametrize(("values", "where"), WRONG)
def test_wrong_values_are_refused_with_their_place(values: dict[str, Any], where: str) -> None:
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmError) as refused:
        chart.validate_schema(values)

    assert where in str(refused.value)


def test_schema_knows_every_value() -> None:
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    jsonschema.Draft7Validator(schema).validate(values)
    assert set(schema["properties"]) - {"global"} == set(values)


@pytest.mark.parametrize("process", ["agent-worker", "tool-worker", "codec-server"])
def test_helm_runs_a_process_as_kustomize_does(process: str) -> None:
    ours, theirs = dict(pods("helm keda, unversioned"))[f"agents-{process}"], dict(pods("kustomize base"))[process]
    settled = ("command", "image", "imagePullPolicy", "ports", "resources", "securityContext")
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    of_helm, of_kustomize = ours["spec"]["containers"][0], theirs["spec"]["containers"][0]

    assert [of_helm.get(key) for key in (*settled, *probes)] == [of_kustomize.get(key) for key in (*settled, *probes)]
    for key in ("securityContext", "enableServiceLinks", "terminationGracePeriodSeconds"):
        assert ours["spec"][key] == theirs["spec"][key]


def test_changed_setting_rolls_the_pods() -> None:
    def template(values: dict[str, Any]) -> Any:
        (deployment,) = [d for d in charted(values) if d["kind"] == "Deployment"]
        return deployment["spec"]["template"]

    assert template({"temporal": {"namespace": "other"}}) != template({})


def test_without_encryption_no_key_is_read_and_the_notes_say_so() -> None:
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render({"keysSecret": ""}, name="agents", namespace="spine")

    assert "SPINE_TEMPORAL_KEY_FILE" not in "".join(rendered.values())
    assert "NOT encrypted" in rendered["spine-temporal-worker/templates/NOTES.txt"]


def test_digest_goes_before_the_tag() -> None:
    digest = "sha256:" + "0" * 64
    deployments = [d for d in charted({"image": {"digest": digest}}) if d["kind"] == "Deployment"]

    assert [d["spec"]["template"]["spec"]["containers"][0]["image"] for d in deployments] == [
        f"spine-temporal-worker@{digest}"
    ]


def test_policies_can_be_left_to_others() -> None:
    kinds = {document["kind"] for document in charted({"networkPolicy": {"enabled": False}})}

    assert "NetworkPolicy" not in kinds
    assert kinds < {document["kind"] for document in documents("helm defaults")}


def test_two_releases_share_a_namespace() -> None:
    first, second = (
        {(d["kind"], d["metadata"]["name"]) for d in charted(VALUES["helm keda, one build"], release)}
        for release in ("build-1", "build-2")
    )

    assert len(first) == len(second)
    assert first.isdisjoint(second)


def test_chart_is_of_the_package_s_version() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["appVersion"] == package


@pytest.mark.parametrize(
    "more",
    [
        {
            "versioning": {"mode": "manual", "deploymentName": "2024", "buildId": "2024"},
            "autoscaling": {"kind": "keda"},
        },
        {"versioning": {"mode": "controller"}},
    ],
    ids=["manual", "controller"],
)
@pytest.mark.parametrize("secured", [{"apiKeySecret": {"name": "2024", "key": "2024"}}, {"tlsSecret": "2024"}])
def test_texts_of_digits_stay_texts(more: dict[str, Any], secured: dict[str, Any]) -> None:
    temporal = {"namespace": "2024", "tlsServerName": "2024", **secured}
    workers = {each: {"enabled": True, "taskQueue": "2024"} for each in ("agentWorker", "toolWorker")}
    names = {"keysSecret": "2024", "environmentSecrets": ["2024"], "priorityClassName": "2024"}
    others = {
        "codecServer": {"enabled": True, "tokensSecret": "2024"},
        "serviceAccount": {"name": "2024"},
        "image": {"pullSecrets": ["2024"]},
    }

    rendered = charted({"temporal": temporal, **workers, **names, **others, **more}, release="2024")

    assert [place for document in rendered for place in _numbers(document) if "2024" in place[-1]] == []


def _numbers(part: Any, *place: str) -> Iterator[tuple[str, ...]]:
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _numbers(value, *place, str(name))
    elif isinstance(part, list):
        for value in part:
            yield from _numbers(value, *place)
    elif isinstance(part, int):
        yield (*place, str(part))
