"""Kubernetes' Pod Security Standard "restricted", as a list of what a pod breaks of it."""

from collections.abc import Iterator
from typing import Any, Final

type Spec = dict[str, Any]

_VOLUMES: Final = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def violations(pod: Spec) -> list[str]:
    """What the spec of a pod breaks; nothing, when a namespace that enforces "restricted" lets it in."""
    return [*_of_pod(pod), *(f"{c['name']}: {broken}" for c in _containers(pod) for broken in _of_container(pod, c))]


def _containers(pod: Spec) -> list[Spec]:
    return [c for key in ("initContainers", "containers", "ephemeralContainers") for c in pod.get(key, ())]


def _of_pod(pod: Spec) -> Iterator[str]:
    for host in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(host):
            yield f"{host} is on"
    for volume in pod.get("volumes", ()):
        if not volume.keys() <= _VOLUMES | {"name"}:
            yield f"volume {volume['name']} is of a kind that is not allowed"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"


def _of_container(pod: Spec, container: Spec) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = pod.get("securityContext", {}) | own
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if both.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "no seccomp profile"
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities are not dropped"
    if not set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not the default"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "a port of the host"
