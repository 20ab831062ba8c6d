"""The spine plugins that are installed, known from their metadata alone."""

import functools
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

GROUP: Final = "spine.plugins"
CORE: Final = "spinekit"
OURS: Final = "spine-temporal"
ALLOWED_ENV: Final = "SPINE_TEMPORAL_ALLOWED_PLUGINS"
"""Names of distributions, between commas: no other plugin is imported. Unset, any may be."""

_ALWAYS: Final = frozenset({CORE, OURS})
_allowed: ContextVar[frozenset[str] | None] = ContextVar("spine_temporal_allowed_plugins", default=None)


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
    schema_error: str | None
    """Why it cannot work with the spinekit that is installed; None: it can."""
    entry_point: EntryPoint

    @property
    def refusal(self) -> str | None:
        """Why it must not be imported; None: it may be."""
        if not is_allowed(self.distribution):
            return f"{self.distribution} is not on the list of allowed plugins, which has: {_listed()}"
        return self.schema_error

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


@contextmanager
def allowing(distributions: Collection[str] | None) -> Iterator[None]:
    """Within this context, no plugin is imported but those of these distributions; None: any.

    spinekit's and our own are always allowed. What the environment allows is a bound of its own: code narrows it, it
    cannot widen it.
    """
    bound = None if distributions is None else frozenset(map(canonicalize_name, distributions))
    token = _allowed.set(bound)
    try:
        yield
    finally:
        _allowed.reset(token)


def is_allowed(distribution: str) -> bool:
    """Whether plugins of that distribution may be imported."""
    name = canonicalize_name(distribution)
    return name in _ALWAYS or all(name in bound for bound in _bounds())


def version_of(distribution: str) -> str:
    """The installed version; empty when it is not installed as a distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _bounds() -> list[frozenset[str]]:
    named = os.environ.get(ALLOWED_ENV)
    of_environment = None if named is None else _names(named)
    return [bound for bound in (of_environment, _allowed.get()) if bound is not None]


def _names(text: str) -> frozenset[str]:
    return frozenset(canonicalize_name(name.strip()) for name in text.split(",") if name.strip())


def _listed() -> str:
    bounds = _bounds()
    both = frozenset.intersection(*bounds) if bounds else frozenset[str]()
    return ", ".join(sorted(both)) or "none but spinekit's own"


def _plugin(entry_point: EntryPoint) -> Plugin:
    dist = entry_point.dist
    name = canonicalize_name(dist.name) if dist is not None else ""
    core_range, schema_error = _fits(dist, name) if dist is not None else ("", None)
    return Plugin(
        name=entry_point.name,
        target=entry_point.value,
        distribution=name,
        version=dist.version if dist is not None else "",
        core_range=core_range,
        schema_error=schema_error,
        entry_point=entry_point,
    )


def _fits(dist: Distribution, name: str) -> tuple[str, str | None]:
    """The range of spinekit's versions, and why the installed one is not in it."""
    wanted = SpecifierSet()
    for line in dist.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            return "", f"{name} {dist.version} says what it needs in a form that cannot be read: {line!r} ({error})"
        if canonicalize_name(requirement.name) != CORE:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted &= requirement.specifier
    here = version_of(CORE)
    # A kernel that was installed as a pre-release is the one that there is.
    if not here or wanted.contains(here, prereleases=True):
        return str(wanted), None
    return str(wanted), f"{name} {dist.version} works with {CORE}{wanted}, installed is {CORE} {here}"
