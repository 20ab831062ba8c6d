"""The spine plugins that are installed, known from their metadata alone."""

import functools
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

GROUP: Final = "spine.plugins"
CORE: Final = "spinekit"
OURS: Final = "spine-temporal"

_SEPARATORS: Final = re.compile(r"[-_.]+")
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
        if dist is None or self.distribution == CORE:
            return "", None
        # The parser of requirements is a tenth of what a worker imports, and few have plugins of others.
        from spine_temporal.plugins.kernel_range import fits

        return fits(dist, self.distribution)

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


def canonical(distribution: str) -> str:
    """The name as PEP 503 has it, however it is written."""
    return _SEPARATORS.sub("-", distribution).lower()


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
            known[dist] = canonical(metadata["Name"]), metadata["Version"]
        plugins.append(Plugin(entry_point.name, entry_point.value, *known[dist], entry_point))
    return tuple(sorted(plugins, key=lambda plugin: (plugin.distribution, plugin.name)))


def version_of(distribution: str) -> str:
    """The installed version; empty when it is not installed as a distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
