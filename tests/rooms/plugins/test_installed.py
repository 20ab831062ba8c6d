"""The kind of a plugin is known from its names, that of its distribution included."""

from importlib.metadata import EntryPoint

import pytest
from spine_core.testing import ScriptedProvider
from spine_providers.openai import OpenAIProvider

from spine_temporal.plugins import requirements
from spine_temporal.plugins.installed import GROUP, Plugin
from spine_temporal.plugins.requirements import MissingPackage, missing_for


def a_plugin(name: str, target: str, distribution: str) -> Plugin:
    return Plugin(name, target, distribution, "1.0", EntryPoint(name, target, GROUP))


@pytest.mark.parametrize(
    ("name", "target", "distribution", "kind"),
    [
        ("mw_cache", "spine_middleware:Cache", "spinekit", "middleware"),
        ("memory_vector", "spine_backends:Vector", "spinekit", "backend"),
        ("openai", "spine_providers.openai:OpenAIProvider", "spinekit", "provider"),
        ("stopwatch", "stopwatch:Stopwatch", "spine-mw-stopwatch", "middleware"),
        ("acme", "acme:Acme", "spine-provider-acme", "provider"),
        ("folder", "folder:Folder", "spine-backend-folder", "backend"),
        ("abacus", "abacus:Abacus", "spine-adapter-abacus", "adapter"),
        ("otters", "otters:Otters", "otters", "?"),
    ],
)
def test_the_kind_of_a_plugin_is_what_its_names_say(name: str, target: str, distribution: str, kind: str) -> None:
    assert a_plugin(name, target, distribution).kind == kind


def test_the_package_that_a_provider_lacks_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = OpenAIProvider.__new__(OpenAIProvider)
    assert missing_for(provider) == []

    monkeypatch.setattr(requirements, "version_of", lambda name: "" if name == "openai" else "1.0")

    assert missing_for(provider) == [MissingPackage("openai", "spinekit", "pip install 'spinekit[openai]'")]


def test_a_provider_of_no_plugin_lacks_nothing() -> None:
    assert missing_for(ScriptedProvider()) == []
