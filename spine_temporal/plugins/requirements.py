"""Packages that an agent's provider needs but that are not installed."""

from dataclasses import dataclass
from importlib.metadata import Distribution

from packaging.requirements import InvalidRequirement, Requirement
from spine_core import Provider

from spine_temporal.plugins.deferred import DeferredProvider
from spine_temporal.plugins.installed import Plugin, installed, version_of


@dataclass(frozen=True, slots=True)
class MissingPackage:
    """A package that is not installed, with the line that installs it."""

    package: str
    needed_by: str
    """The distribution whose plugin needs it."""
    install: str


def missing_for(provider: Provider) -> list[MissingPackage]:
    """What the provider's plugin needs and is not installed: of its requirements, and of its extra of the same name.

    An adapter imports its SDK when the model is first asked, so that the agent can be built without.
    """
    if isinstance(provider, DeferredProvider):
        provider = provider.provider()
    module = type(provider).__module__
    plugins = [plugin for plugin in installed() if plugin.module == module or module.startswith(f"{plugin.module}.")]
    found: dict[str, MissingPackage] = {}
    for plugin in plugins:
        for missing in _missing(plugin):
            found.setdefault(missing.package, missing)
    return list(found.values())


def _missing(plugin: Plugin) -> list[MissingPackage]:
    dist = plugin.entry_point.dist
    if dist is None:
        return []
    extra = plugin.name if plugin.name in (dist.metadata.get_all("Provides-Extra") or []) else ""
    wanted = f"{plugin.distribution}[{extra}]" if extra else plugin.distribution
    return [
        MissingPackage(requirement.name, plugin.distribution, f"pip install '{wanted}'")
        for requirement in _requirements(dist)
        if (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
        and not version_of(requirement.name)
    ]


def _requirements(dist: Distribution) -> list[Requirement]:
    found: list[Requirement] = []
    for line in dist.requires or ():
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return found
