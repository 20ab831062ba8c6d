"""The kernel's registries of plugins, with a finder that is asked for each name.

By itself the kernel imports the entry point named as a provider's scheme, hides what that raises, and finds no
middleware, memory or checkpoint store that nobody has imported.
"""

from collections.abc import Callable
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from spine_core import provider, registry

type Factory = Callable[..., Any]
type Finder = Callable[["Kind", str], Factory]
"""Returns what a name is registered as; raises what the kernel shall raise if there is nothing."""


class Kind(StrEnum):
    """What a name is registered as."""

    PROVIDER = "provider"
    MIDDLEWARE = "middleware"
    CHECKPOINT = "checkpoint"
    MEMORY = "memory"


_PLACES: Final[dict[Kind, tuple[ModuleType, str]]] = {
    Kind.PROVIDER: (provider, "_REGISTRY"),
    Kind.MIDDLEWARE: (registry, "_MIDDLEWARE"),
    Kind.CHECKPOINT: (registry, "_CHECKPOINT"),
    Kind.MEMORY: (registry, "_MEMORY"),
}


def names(kind: Kind) -> list[str]:
    """The names of that kind that are registered so far."""
    return sorted(_registry(kind))


def factory(kind: Kind, name: str) -> Factory | None:
    """What the name is registered as so far; no finder is asked."""
    return dict.get(_registry(kind), name)


def ask(finder: Finder) -> None:
    """From now on the kernel asks `finder` for each name; asking again with another finder replaces it."""
    for kind, (module, attribute) in _PLACES.items():
        setattr(module, attribute, _Asking(kind, _registry(kind), finder))


class _Asking(dict[str, Factory]):
    """A registry that asks for each name: what is registered by now may be refused."""

    def __init__(self, kind: Kind, known: dict[str, Factory], finder: Finder) -> None:
        super().__init__(known)
        self._kind = kind
        self._finder = finder

    # The kernel looks a name up with `get` and one argument.
    def get(self, name: str, _default: Any = None, /) -> Factory:
        return self._finder(self._kind, name)


def _registry(kind: Kind) -> dict[str, Factory]:
    module, attribute = _PLACES[kind]
    found: dict[str, Factory] = getattr(module, attribute)
    return found
