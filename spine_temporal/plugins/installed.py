"""The spine plugins that are installed, known from their metadata alone."""

import functools
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

GROUP: Final = "spine.plugins"
CORE: Final = "spinekit"
OURS: Final = "spine-temporal"

# No metadata holds the kind of a plugin; by custom names do.
_CUSTOMARY: Final = {
    "provider": re.compile(r"provider", re.IGNORECASE),
    "middleware": re.compile(r"\bmw(?![a-z])|^mw|middleware", re.IGNORECASE),
    "backend": re.compile(r"backend|checkpoint|memory", re.IGNORECASE),
    "adapter": re.compile(r"adapter|toolset|mcp|a2a", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point of the group `spine.plugins`."""

    name: str
    target: str
    """What it loads, "module:attr"."""
    distribution: str
    version: str
    core_range: str
    """The versions of spinekit that the distribution works with, as its metadata says; empty: any."""
    version_conflict: str | None
    """Why it cannot work with the spinekit that is installed; None: it can."""
    entry_point: EntryPoint

    @property
    def kind(self) -> str:
        """What its names say that it is: "provider", "middleware", "backend", "adapter"; "?" if they do not say."""
        # Of the three names the entry point's own is the plugin's, the distribution's may cover several.
        for name in (self.name, self.target, self.distribution):
            for kind, customary in _CUSTOMARY.items():
                if customary.search(name):
                    return kind
        return "?"

    @property
    def module(self) -> str:
        """The module that it loads."""
        return self.target.partition(":")[0].strip()

    def load(self) -> Any:
        """Import it. Whatever its code raises comes out."""
        return self.entry_point.load()


def installed() -> list[Plugin]:
    """Every plugin that is installed, by distribution, then name. Nothing is imported."""
    return [*_on(tuple(sys.path))]


@functools.lru_cache(maxsize=2)
def _on(_path: tuple[str, ...]) -> tuple[Plugin, ...]:
    # Reading the metadata of everything that is installed takes some ten milliseconds.
    plugins = (_plugin(entry_point) for entry_point in entry_points(group=GROUP))
    return tuple(sorted(plugins, key=lambda plugin: (plugin.distribution, plugin.name)))


def version_of(distribution: str) -> str:
    """The installed version; empty when it is not installed as a distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _plugin(entry_point: EntryPoint) -> Plugin:
    dist = entry_point.dist
    name = canonicalize_name(dist.name) if dist is not None else ""
    core_range, version_conflict = _fits(dist, name) if dist is not None else ("", None)
    return Plugin(
        name=entry_point.name,
        target=entry_point.value,
        distribution=name,
        version=dist.version if dist is not None else "",
        core_range=core_range,
        version_conflict=version_conflict,
        entry_point=entry_point,
    )


def _fits(dist: Distribution, name: str) -> tuple[str, str | None]:
    """The range of spinekit's versions, and why the installed one is not in it."""
    wanted = SpecifierSet()
    for line in dist.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            return "", f"{name} {dist.version} has a requirement that cannot be parsed: {line!r} ({error})"
        if canonicalize_name(requirement.name) != CORE:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted &= requirement.specifier
    here = version_of(CORE)
    # A kernel installed as a pre-release counts, though specifiers leave pre-releases out.
    if not here or wanted.contains(here, prereleases=True):
        return str(wanted), None
    return str(wanted), f"{name} {dist.version} works with {CORE}{wanted}, installed is {CORE} {here}"
