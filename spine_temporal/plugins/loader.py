"""Plugins imported when an agent needs one, found whatever their entry points are called."""

import difflib
import logging
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from spine_core import provider as kernel
from spine_core import registry
from spine_core.checkpoint import CheckpointStore
from spine_core.errors import ProviderError
from spine_core.memory import Memory

from spine_temporal.errors import PluginUnusable
from spine_temporal.plugins.installed import Plugin, installed

_log = logging.getLogger(__name__)

# What entry points in the wild begin with; it says the kind, not the name.
_PREFIX: Final = re.compile(r"^(mw|middleware|backend|checkpoint|memory|provider|adapter)[-_.]")
_SHORTEST_LIKENESS: Final = 3
_UNLIKE: Final = 2


class Kind(StrEnum):
    """What a name is registered as."""

    PROVIDER = "provider"
    MIDDLEWARE = "middleware"
    CHECKPOINT = "checkpoint"
    MEMORY = "memory"


# The kernel lists its other registries; of its providers' it has no public list, only what resolving one raises.
_NAMES: Final[dict[Kind, Callable[[], list[str]]]] = {
    Kind.PROVIDER: lambda: sorted(kernel._REGISTRY),  # noqa: SLF001
    Kind.MIDDLEWARE: registry.list_middleware,
    Kind.CHECKPOINT: registry.list_checkpoints,
    Kind.MEMORY: registry.list_memories,
}


def registered(kind: Kind) -> list[str]:
    """The names of that kind that what has been imported so far registered."""
    return _NAMES[kind]()


def find(kind: Kind, name: str) -> None:
    """Import plugins until one has registered `name`: the one that bears it, then those like it, then the rest.

    One that fails to import is logged and passed over, so is one that must not be imported.

    Raises:
        PluginUnusable: nobody registers it; the message says what is there, and what could not be looked into.
    """
    if name in registered(kind):
        return
    near: dict[str, str] = {}
    far: dict[str, str] = {}
    for plugin in sorted(installed(), key=lambda plugin: _distance(plugin, name)):
        problem = plugin.refusal or _logged(plugin, import_problem(plugin))
        if name in registered(kind):
            return
        if problem is not None:
            (near if _distance(plugin, name) < _UNLIKE else far).setdefault(plugin.distribution, problem)
    raise PluginUnusable(_missing(kind, name, near, far))


def middleware(name: str, **arguments: Any) -> Any:
    """A new middleware of that name.

    Raises:
        PluginUnusable: there is none. What its constructor raises comes out as it is.
    """
    find(Kind.MIDDLEWARE, name)
    return registry.resolve_middleware(name, **arguments)


def checkpoint(name: str, **arguments: Any) -> CheckpointStore:
    """A new checkpoint backend of that name.

    Raises:
        PluginUnusable: there is none. What its constructor raises comes out as it is.
    """
    find(Kind.CHECKPOINT, name)
    return registry.resolve_checkpoint(name, **arguments)


def memory(name: str, **arguments: Any) -> Memory:
    """A new memory backend of that name.

    Raises:
        PluginUnusable: there is none. What its constructor raises comes out as it is.
    """
    find(Kind.MEMORY, name)
    return registry.resolve_memory(name, **arguments)


def let_the_kernel_find_providers() -> None:
    """From now on `Agent("acme:some-model")` finds its provider whatever the plugin's entry point is called.

    By itself the kernel imports the entry point that bears the scheme's name, hides what that raises, and knows of no
    list of allowed plugins. It has one place where it looks; that is where we look from now on.
    """
    kernel._load_provider_plugin = _find_provider  # noqa: SLF001


def _find_provider(scheme: str) -> None:
    try:
        find(Kind.PROVIDER, scheme)
    except PluginUnusable as error:
        raise ProviderError(str(error)) from error


def import_problem(plugin: Plugin) -> str | None:
    """Import the plugin; why that failed, None: it did not."""
    try:
        plugin.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        return f"{plugin.distribution} {plugin.version} cannot be imported ({type(error).__name__}: {error})"
    return None


def _logged(plugin: Plugin, problem: str | None) -> str | None:
    if problem is not None:
        _log.warning("plugin %r of %s; agents that do not use it are not affected", plugin.name, problem)
    return problem


def _distance(plugin: Plugin, name: str) -> int:
    if plugin.name == name:
        return 0
    sought, bare = _plain(name), _plain(_PREFIX.sub("", plugin.name))
    borne = (_plain(plugin.name), _plain(plugin.target), _plain(plugin.distribution))
    alike = any(sought in each for each in borne) or (len(bare) >= _SHORTEST_LIKENESS and bare in sought)
    return 1 if alike else _UNLIKE


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _missing(kind: Kind, name: str, near: dict[str, str], far: dict[str, str]) -> str:
    what = f"scheme {name!r}" if kind is Kind.PROVIDER else f"{kind} {name!r}"
    if near:
        return f"no plugin registers {what}, and what looks like it cannot be used: {'; '.join(near.values())}"
    known = registered(kind)
    close = difflib.get_close_matches(name, known, n=1)
    rather = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
    unread = f"; not looked into: {', '.join(far)}, `spine-temporal plugins --load` says why" if far else ""
    return f"no plugin registers {what}; {rather}{unread}"
