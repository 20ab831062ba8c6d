"""Which distributions' plugins may be imported in this process.

A list bounds the process, not one task of it: plugins are imported into the process, by agents that are made in a
tool, a hook or a thread as well. With several workers in one process, each list is a bound of its own.
"""

import os
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from spine_temporal.given import refused
from spine_temporal.plugins.installed import CORE, OURS, Plugin, canonical

ALLOWED_ENV: Final = "SPINE_TEMPORAL_ALLOWED_PLUGINS"
"""Names of distributions, between commas: no other plugin is imported. Unset, any may be."""

_ALWAYS: Final = frozenset({CORE, OURS})


@dataclass(frozen=True, slots=True)
class AllowList:
    """Names of distributions. Spinekit's and our own are always allowed."""

    distributions: frozenset[str] | None = None
    """In their canonical form; None: any."""

    @classmethod
    def of(cls, distributions: Collection[str] | None) -> Self:
        """The list of those names, however they are written; None: any.

        Raises:
            BadInput: it is no list of names; one name alone is none.
        """
        if isinstance(distributions, str) or not all(isinstance(each, str) for each in distributions or ()):
            raise refused("allowed_plugins", distributions, "a list of names of distributions, or None")
        return cls(None if distributions is None else frozenset(map(canonical, distributions)))

    @classmethod
    def of_environment(cls) -> Self:
        """The list that the environment has; any if it has none."""
        text = os.environ.get(ALLOWED_ENV)
        return cls.of(None if text is None else [name.strip() for name in text.split(",") if name.strip()])

    def __and__(self, other: "AllowList") -> "AllowList":
        if self.distributions is None or other.distributions is None:
            return self if other.distributions is None else other
        return AllowList(self.distributions & other.distributions)

    def __str__(self) -> str:
        if self.distributions is None:
            return "any"
        return ", ".join(sorted(self.distributions)) or "none but spinekit's own"

    def allows(self, distribution: str) -> bool:
        """Whether plugins of that distribution may be imported."""
        name = canonical(distribution)
        return name in _ALWAYS or self.distributions is None or name in self.distributions

    def refusal_of(self, plugin: Plugin) -> str | None:
        """Why the plugin may not be imported; None: it may."""
        if self.allows(plugin.distribution):
            return None
        return f"{plugin.distribution} is not on the list of allowed plugins, which has: {self}"


# By owner: the list of a worker is in force for as long as its registry of agents exists.
_enforced: Final[weakref.WeakKeyDictionary[object, AllowList]] = weakref.WeakKeyDictionary()


def enforce(allowed: AllowList, owner: object) -> None:
    """Have the list bound this process for as long as `owner` exists."""
    _enforced[owner] = allowed


@contextmanager
def enforced(allowed: AllowList) -> Iterator[None]:
    """Have the list bound this process while the body runs."""
    owner = _Owner()
    enforce(allowed, owner)
    try:
        yield
    finally:
        del _enforced[owner]


def is_decided() -> bool:
    """Whether a worker, or who loads a project, has set what may be imported in this process."""
    return bool(_enforced)


def in_force() -> AllowList:
    """What may be imported now. Code narrows what the environment allows, it cannot widen it."""
    allowed = AllowList.of_environment()
    for each in list(_enforced.values()):
        allowed &= each
    return allowed


def why_refused(plugin: Plugin) -> str | None:
    """Why the plugin must not be imported: it is not allowed now, or does not fit the kernel; None: it may be."""
    return in_force().refusal_of(plugin) or plugin.version_conflict


class _Owner:
    """What a list that is in force for a while belongs to."""
