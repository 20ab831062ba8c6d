"""What one manifest names in another is there."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.manifests import NAMESPACE, RENDERED, documents, environment, of_kind, pods
from tests.deploy.repository import ROOT


def selected(name: str, selector: dict[str, Any]) -> list[dict[str, Any]]:
    """The pods whose labels a selector asks for."""
    labels = selector.get("matchLabels", {}).items()
    return [pod for _, pod in pods(name) if labels <= pod["metadata"]["labels"].items()]


def worker_of(name: str, deployment: str) -> dict[str, Any]:
    (pod,) = [pod for of, pod in pods(name) if of == deployment]
    return pod


@pytest.mark.parametrize("name", RENDERED)
def test_every_selector_finds_pods_and_every_port_has_its_name(name: str) -> None:
    for deployment in of_kind(name, "Deployment"):
        template = deployment["spec"]["template"]
        assert selected(name, deployment["spec"]["selector"]) == [template], "no two Deployments share pods"
    for service in of_kind(name, "Service"):
        found = selected(name, {"matchLabels": service["spec"]["selector"]})
        ports = {port["name"] for pod in found for port in pod["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    for budget in of_kind(name, "PodDisruptionBudget"):
        assert len(selected(name, budget["spec"]["selector"])) == 1
    for policy in of_kind(name, "NetworkPolicy"):
        found = selected(name, policy["spec"]["podSelector"])
        opened = [p["port"] for rule in policy["spec"].get("ingress", ()) for p in rule["ports"]]
        assert found
        assert all(p["name"] in opened for pod in found for p in pod["spec"]["containers"][0]["ports"] if opened)


@pytest.mark.parametrize("name", RENDERED)
def test_every_probe_asks_a_port_that_is_open(name: str) -> None:
    for _, pod in pods(name):
        container = pod["spec"]["containers"][0]
        probes = [container[key]["httpGet"] for key in container if key.endswith("Probe")]
        assert {probe["port"] for probe in probes} == {port["name"] for port in container["ports"]}
        if container["name"] == "worker":
            assert [probe["path"] for probe in probes].count("/readyz") == 1
            assert {probe["path"] for probe in probes} == {"/livez", "/readyz"}
            assert environment(name, pod)["SPINE_TEMPORAL_HEALTH_ADDRESS"] == "0.0.0.0:8082"


@pytest.mark.parametrize("name", RENDERED)
def test_what_a_pod_names_is_rendered_with_it(name: str) -> None:
    accounts = {account["metadata"]["name"] for account in of_kind(name, "ServiceAccount")}
    configured = {config["metadata"]["name"] for config in of_kind(name, "ConfigMap")}
    for _, pod in pods(name):
        container = pod["spec"]["containers"][0]
        named = {s["configMapRef"]["name"] for s in container.get("envFrom", ()) if "configMapRef" in s}
        mounted = [mount["name"] for mount in container["volumeMounts"]]
        assert pod["spec"]["serviceAccountName"] in accounts
        assert named <= configured
        assert sorted(mounted) == sorted(volume["name"] for volume in pod["spec"]["volumes"])


@pytest.mark.xfail(not (ROOT / "workers" / "tool_worker.py").exists(), reason="it is not written yet", strict=True)
def test_every_process_is_a_file_of_the_workers_folder() -> None:
    started = {tuple(pod["spec"]["containers"][0]["command"]) for name in RENDERED for _, pod in pods(name)}

    assert started <= {("python", f"/app/workers/{file.name}") for file in (ROOT / "workers").glob("*.py")}


@pytest.mark.parametrize("name", RENDERED)
def test_nothing_names_a_number_of_replicas_where_an_autoscaler_does(name: str) -> None:
    scaled = {d["spec"]["scaleTargetRef"]["name"] for d in of_kind(name, "HorizontalPodAutoscaler", "ScaledObject")}
    scaled |= {d["spec"]["workerDeploymentRef"]["name"] for d in of_kind(name, "WorkerResourceTemplate")}
    targets = {d["metadata"]["name"]: d for d in of_kind(name, "Deployment", "WorkerDeployment")}

    assert scaled <= targets.keys()
    assert {target for target, d in targets.items() if "replicas" not in d["spec"]} == scaled


@pytest.mark.parametrize("name", RENDERED)
def test_version_and_connection_are_written_by_the_controller_alone(name: str) -> None:
    connections = {d["metadata"]["name"] for d in of_kind(name, "Connection")}
    for deployment in of_kind(name, "WorkerDeployment"):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert deployment["spec"]["workerOptions"]["connectionRef"]["name"] in connections
        assert [entry["name"] for entry in container["env"] if entry["name"].startswith("TEMPORAL_")] == []


# What a worker is given, and where KEDA's trigger is given the same.
_SAME = {
    "TEMPORAL_ADDRESS": "endpoint",
    "TEMPORAL_NAMESPACE": "namespace",
    "SPINE_TEMPORAL_TASK_QUEUE": "taskQueue",
    "TEMPORAL_DEPLOYMENT_NAME": "workerDeploymentName",
    "TEMPORAL_WORKER_BUILD_ID": "workerDeploymentBuildId",
}
KEDA = [name for name in RENDERED if "keda" in name]


@pytest.mark.parametrize("name", KEDA)
def test_keda_asks_the_service_of_the_worker_that_it_scales(name: str) -> None:
    for scaled in of_kind(name, "ScaledObject"):
        target = scaled["spec"]["scaleTargetRef"]["name"]
        (signal,) = [t["metadata"] for t in scaled["spec"]["triggers"] if t["type"] == "metrics-api"]
        asked = urlsplit(signal["url"])
        (service,) = [d for d in of_kind(name, "Service") if d["metadata"]["name"] == target]
        given = environment(name, worker_of(name, target))
        build = given.get("TEMPORAL_WORKER_BUILD_ID")

        assert asked.hostname == f"{service['metadata']['name']}.{NAMESPACE}.svc.cluster.local"
        assert [asked.port] == [port["port"] for port in service["spec"]["ports"]]
        assert (asked.path, signal["valueLocation"]) == (f"/scale/{given['SPINE_TEMPORAL_TASK_QUEUE']}", "value")
        assert asked.query == (f"build={build}" if build else ""), "builds side by side are scaled each by its own work"


@pytest.mark.parametrize("name", KEDA)
def test_keda_asks_the_server_for_the_backlog_of_the_same_version_and_queue(name: str) -> None:
    authentications = {d["metadata"]["name"] for d in of_kind(name, "TriggerAuthentication")}
    for scaled in of_kind(name, "ScaledObject"):
        (trigger,) = [t for t in scaled["spec"]["triggers"] if t["type"] == "temporal"]
        given = environment(name, worker_of(name, scaled["spec"]["scaleTargetRef"]["name"]))
        # KEDA reads `...FromEnv` out of the worker's own variables.
        asked = {
            key.removesuffix("FromEnv"): given[value] if key.endswith("FromEnv") else value
            for key, value in trigger["metadata"].items()
        }

        assert trigger["authenticationRef"]["name"] in authentications
        assert {field: asked.get(field) for field in _SAME.values()} == {
            field: given.get(variable) for variable, field in _SAME.items()
        }


@pytest.mark.parametrize("name", KEDA)
def test_current_version_keeps_a_worker(name: str) -> None:
    assert {scaled["spec"]["minReplicaCount"] for scaled in of_kind(name, "ScaledObject")} == {1}


def test_worker_controller_runs_the_pods_of_the_base() -> None:
    assert dict(pods("kustomize worker-controller")) == dict(pods("kustomize base"))


def test_namespace_lets_nothing_through_that_no_policy_names() -> None:
    (deny,) = [d for d in of_kind("kustomize base", "NetworkPolicy") if d["metadata"]["name"] == "default-deny"]
    labels = of_kind("kustomize base", "Namespace")[0]["metadata"]["labels"]

    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {d["metadata"].get("namespace", NAMESPACE) for d in documents("kustomize base")} == {NAMESPACE}
