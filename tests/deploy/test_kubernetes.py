"""What kustomize and Helm render is what Kubernetes and its controllers take."""

import copy
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.custom_resources import faults, needs_definitions
from tests.deploy.manifests import CHART, RENDERED, VALUES, charted, documents, kustomized, of_kind, pods
from tests.deploy.pod_security import violations
from tests.deploy.repository import ROOT

CUSTOM = ("Connection", "ScaledObject", "TriggerAuthentication", "WorkerDeployment", "WorkerResourceTemplate")
# The oldest that the chart's kubeVersion names, and the newest there is a schema of.
VERSIONS = ("1.31", kubernetes_validate.latest_version())


def core(name: str) -> list[dict[str, Any]]:
    """Documents of Kubernetes' own kinds, with what the Worker Controller makes of a template among them."""
    found = [document for document in documents(name) if document["kind"] not in CUSTOM]
    for template in of_kind(name, "WorkerResourceTemplate"):
        made = copy.deepcopy(template["spec"]["template"])
        assert made["spec"]["scaleTargetRef"] == {}, "the controller refuses a target of ours"
        made["spec"]["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "one-version"}
        found.append(made)
    return found


@pytest.mark.parametrize("name", RENDERED)
def test_every_core_resource_follows_the_strict_schema(name: str) -> None:
    for document in core(name):
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("kind", ["Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"])
def test_field_that_kubernetes_does_not_know_is_found(kind: str) -> None:
    document = copy.deepcopy(of_kind("kustomize hpa", kind)[0])
    document["spec"]["replica"] = 2

    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(document, VERSIONS[0], strict=True)


def test_oldest_kubernetes_is_the_one_that_the_chart_asks_for() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={VERSIONS[0]}.0-0"


@pytest.mark.parametrize("name", RENDERED)
@needs_definitions
def test_every_custom_resource_follows_its_definition(name: str) -> None:
    assert [found for document in of_kind(name, *CUSTOM) for found in faults(document)] == []


def test_every_custom_kind_is_rendered_by_kustomize_and_by_helm() -> None:
    by_helm = {document["kind"] for name in VALUES for document in documents(name)}
    by_kustomize = {document["kind"] for name in set(RENDERED) - set(VALUES) for document in documents(name)}

    assert by_helm.issuperset(CUSTOM)
    assert by_kustomize.issuperset(CUSTOM)


WRONG: list[tuple[str, str, Any, str]] = [
    ("WorkerDeployment", "spec.rollout.steps", [{"rampPercentage": 100, "pauseDuration": "1m"}], "maximum of 99"),
    ("WorkerDeployment", "spec.rollout.steps", [{"rampPercentage": 0, "pauseDuration": "1m"}], "minimum of 1"),
    ("WorkerDeployment", "spec.rollout.steps", [{"rampPercentage": 5, "pauseDuration": "29s"}], "at least 30s"),
    ("WorkerDeployment", "spec.rollout.steps", [], "steps are required"),
    ("WorkerDeployment", "spec.deployment", {}, "'deployment' was unexpected"),
    ("WorkerDeployment", "metadata.name", "n" * 64, "more than 63 characters"),
    ("Connection", "spec.hostPort", "https://temporal", "does not match"),
    ("WorkerResourceTemplate", "spec.workerDeploymentRef", None, "must be set"),
    ("ScaledObject", "spec.minReplicaCount", 21, "less than or equal to maxReplicaCount"),
]


@pytest.mark.parametrize(("kind", "field", "value", "fault"), WRONG)
@needs_definitions
def test_definitions_refuse_what_the_controllers_would(kind: str, field: str, value: Any, fault: str) -> None:
    document = next(copy.deepcopy(d) for name in RENDERED for d in of_kind(name, kind))
    *way, last = field.split(".")
    holder = document
    for key in way:
        holder = holder[key]
    if value is None:
        del holder[last]
    else:
        holder[last] = value

    assert [found for found in faults(document) if fault in found]


@pytest.mark.parametrize("name", RENDERED)
def test_every_pod_is_let_in_where_restricted_is_enforced(name: str) -> None:
    assert {of: violations(pod["spec"]) for of, pod in pods(name)} == {of: [] for of, _ in pods(name)}


@pytest.mark.parametrize(
    ("where", "change", "broken"),
    [
        ("pod", {"hostNetwork": True}, "hostNetwork is on"),
        ("pod", {"volumes": [{"name": "logs", "hostPath": {"path": "/"}}]}, "volume logs"),
        ("pod", {"securityContext": {}}, "runAsNonRoot is not true"),
        ("container", {"securityContext": {}}, "capabilities are not dropped"),
        ("container", {"securityContext": {"privileged": True}}, "privileged"),
        ("container", {"securityContext": {"runAsUser": 0}}, "runAsUser is 0"),
        ("container", {"ports": [{"containerPort": 1, "hostPort": 1}]}, "a port of the host"),
    ],
)
def test_pod_that_breaks_restricted_is_found(where: str, change: dict[str, Any], broken: str) -> None:
    _, pod = next(pods("kustomize base"))
    spec = copy.deepcopy(pod["spec"])
    (spec if where == "pod" else spec["containers"][0]).update(change)

    assert any(broken in found for found in violations(spec))


@pytest.mark.parametrize("name", RENDERED)
def test_every_container_is_bounded_and_writes_to_tmp_alone(name: str) -> None:
    for _, pod in pods(name):
        assert pod["spec"]["automountServiceAccountToken"] is False
        for container in pod["spec"]["containers"]:
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"]["limits"].keys()
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            writable = {m["name"] for m in container["volumeMounts"] if not m.get("readOnly")}
            assert writable == {"tmp"}


@pytest.mark.parametrize(
    ("component", "files"),
    [
        ("api-key", {"SPINE_TEMPORAL_API_KEY_FILE": "api-key"}),
        ("mtls", {"TEMPORAL_TLS_CLIENT_CERT_PATH": "tls.crt", "TEMPORAL_TLS_CLIENT_KEY_PATH": "tls.key"}),
    ],
)
def test_component_gives_the_workers_their_credentials_as_files(component: str, files: dict[str, str]) -> None:
    built = kustomized(ROOT / "tests" / "deploy" / "components" / component)
    deployments = {d["metadata"]["name"]: d["spec"]["template"]["spec"] for d in built if d["kind"] == "Deployment"}
    workers = [spec for name, spec in deployments.items() if name.endswith("-worker")]

    assert len(workers) == 2
    for spec in workers:
        variables = {entry["name"]: entry.get("value") for entry in spec["containers"][0]["env"]}
        mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
        (folder,) = [path for path in mounts.values() if path.startswith("/etc/temporal/")]
        assert variables.items() >= {name: f"{folder}/{file}" for name, file in files.items()}.items()
        assert mounts.keys() == {volume["name"] for volume in spec["volumes"]}
        assert violations(spec) == []


def test_extra_rules_and_variables_reach_what_helm_renders() -> None:
    rule = {"to": [{"podSelector": {"matchLabels": {"app": "postgres"}}}], "ports": [{"protocol": "TCP", "port": 5432}]}
    rendered = charted(
        {"networkPolicy": {"extraEgress": [rule]}, "extraEnv": [{"name": "LOG_LEVEL", "value": "debug"}]}
    )
    (workers,) = [d for d in rendered if d["metadata"]["name"] == "agents-workers"]
    (deployment,) = [d for d in rendered if d["kind"] == "Deployment"]

    assert rule in workers["spec"]["egress"]
    assert {"name": "LOG_LEVEL", "value": "debug"} in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    for document in rendered:
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
