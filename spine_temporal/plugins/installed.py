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


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group `spine.plugins`."""

    name: str
    target: str
    """What it loads, "module:attr"."""
    distribution: str
    version: str
    entry_point: EntryPoint

    @property
    def core_range(self) -> str:
        """The versions of spinekit that the distribution works with, as its metadata says; empty: any."""
        return self._fit[0]

    @property
    def version_conflict(self) -> str | None:
        """Why it cannot work with the spinekit that is installed; None: it can."""
        return self._fit[1]

    @functools.cached_property
    def _fit(self) -> tuple[str, str | None]:
        dist = self.entry_point.dist
        return _fits(dist, self.distribution) if dist is not None else ("", None)

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
    # A distribution reads a file whenever it is asked for its name, or its version.
    known: dict[Distribution | None, tuple[str, str]] = {None: ("", "")}
    plugins = []
    for entry_point in entry_points(group=GROUP):
        dist = entry_point.dist
        if dist is not None and dist not in known:
            metadata = dist.metadata
            known[dist] = canonicalize_name(metadata["Name"]), metadata["Version"]
        plugins.append(Plugin(entry_point.name, entry_point.value, *known[dist], entry_point))
    return tuple(sorted(plugins, key=lambda plugin: (plugin.distribution, plugin.name)))


def version_of(distribution: str) -> str:
    """The installed version; empty when it is not installed as a distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


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
