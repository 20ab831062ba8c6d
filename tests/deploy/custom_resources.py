"""Custom resources against their definitions: the schema, fields that it does not know, its CEL rules."""

import copy
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import cel
import jsonschema
import pytest
import yaml

from tests.deploy.repository import ROOT

DEFINITIONS: Final = Path(os.environ.get("SPINE_TEMPORAL_CRDS") or ROOT.parent / "shared" / "crds")

needs_definitions: Final = pytest.mark.skipif(
    not DEFINITIONS.is_dir(),
    reason=f"no custom resource definitions at {DEFINITIONS}; SPINE_TEMPORAL_CRDS names the folder that has them",
)


@cache
def schema(group_version: str, kind: str) -> dict[str, Any]:
    """The schema of a kind, one that refuses fields it does not know, which a cluster would drop in silence."""
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        # In C: one of them is long.
        definition = yaml.load(file.read_text(), yaml.CSafeLoader)["spec"]
        if definition["names"]["kind"] != kind:
            continue
        for version in definition["versions"]:
            if f"{definition['group']}/{version['name']}" == group_version and version["served"]:
                return _closed(copy.deepcopy(version["schema"]["openAPIV3Schema"]))
    raise LookupError(f"no definition of {group_version} {kind} in {DEFINITIONS}")


def faults(document: dict[str, Any]) -> list[str]:
    """What is wrong with a custom resource."""
    of_kind = schema(document["apiVersion"], document["kind"])
    by_schema = [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(of_kind).iter_errors(document)
    ]
    return by_schema or list(_broken_rules(of_kind, document, "$"))


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    for child in _children(node):
        _closed(child)
    if "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        node.setdefault("additionalProperties", False)
    return node


def _children(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from node.get("properties", {}).values()
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield node[key]


def _broken_rules(node: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    for rule in node.get("x-kubernetes-validations", ()):
        if not cel.evaluate(rule["rule"], {"self": value}):
            yield f"{path}: {rule['message']}"
    if isinstance(value, dict):
        others = node.get("additionalProperties")
        for key, inner in value.items():
            of_key = node.get("properties", {}).get(key, others)
            if isinstance(of_key, dict):
                yield from _broken_rules(of_key, inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _broken_rules(node.get("items", {}), inner, f"{path}[{index}]")
