"""What kustomize and Helm make of our manifests: the documents that a cluster would get."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import helm_python
import yaml

from tests.deploy.repository import ROOT, run_installed

type Document = dict[str, Any]

KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
CHART: Final = ROOT / "deploy" / "helm" / "spine-temporal-worker"
NAMESPACE: Final = "spine"

_FOLDERS: Final = {
    f"kustomize {folder.name}": folder for folder in (KUBERNETES / "base", *sorted((KUBERNETES / "overlays").iterdir()))
}

_ALL: Final[Document] = {"toolWorker": {"enabled": True}, "codecServer": {"enabled": True}}
VALUES: Final[Mapping[str, Document]] = {
    "helm defaults": {},
    "helm hpa": {**_ALL, "autoscaling": {"kind": "hpa"}, "temporal": {"tlsSecret": "temporal-tls"}},
    "helm keda, one build": {
        **_ALL,
        "autoscaling": {"kind": "keda"},
        "temporal": {"apiKeySecret": {"name": "temporal-api-key"}},
        "versioning": {"mode": "manual", "buildId": "build-1"},
    },
    "helm keda, unversioned": {**_ALL, "autoscaling": {"kind": "keda"}, "temporal": {"tlsSecret": "temporal-tls"}},
    "helm controller": {
        **_ALL,
        "autoscaling": {"kind": "hpa"},
        "temporal": {"apiKeySecret": {"name": "temporal-api-key"}, "tlsServerName": "spine.example.com"},
        "versioning": {"mode": "controller"},
    },
    "helm controller, fixed": {"temporal": {"tlsSecret": "temporal-tls"}, "versioning": {"mode": "controller"}},
}

RENDERED: Final = (*_FOLDERS, *VALUES)


@cache
def documents(name: str) -> tuple[Document, ...]:
    """The documents of one of `RENDERED`."""
    return kustomized(_FOLDERS[name]) if name in _FOLDERS else charted(VALUES[name])


def kustomized(folder: Path) -> tuple[Document, ...]:
    """What `kubectl kustomize` makes of a folder."""
    built = run_installed("kubectl", "kustomize", folder)
    assert (built.returncode, built.stderr) == (0, "")
    return tuple(yaml.safe_load_all(built.stdout))


def charted(values: Document, release: str = "agents") -> tuple[Document, ...]:
    """What Helm makes of the chart with these values."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name=release, namespace=NAMESPACE)
    read = [yaml.safe_load_all(text) for name, text in files.items() if name.endswith(".yaml")]
    return tuple(document for part in read for document in part if document)


def of_kind(name: str, *kinds: str) -> list[Document]:
    """The documents of these kinds."""
    return [document for document in documents(name) if document["kind"] in kinds]


def pods(name: str) -> Iterator[tuple[str, Document]]:
    """Each pod template, with the name of what it is of."""
    for document in of_kind(name, "Deployment", "WorkerDeployment"):
        yield document["metadata"]["name"], document["spec"]["template"]


def environment(name: str, pod: Document) -> dict[str, str]:
    """The variables that a pod's first container has by value, its ConfigMaps' included."""
    container = pod["spec"]["containers"][0]
    configured = {document["metadata"]["name"]: document["data"] for document in of_kind(name, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        if "configMapRef" in source:
            found |= configured[source["configMapRef"]["name"]]
    return found | {entry["name"]: entry["value"] for entry in container.get("env", ()) if "value" in entry}
