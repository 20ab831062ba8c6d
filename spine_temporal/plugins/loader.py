"""Plugins imported when an agent needs one, found whatever their entry points are called."""

import difflib
import logging
import re
from typing import Any, Final

from spine_core import Provider, registry
from spine_core.checkpoint import CheckpointStore
from spine_core.errors import ProviderError, SpineError
from spine_core.memory import Memory

from spine_temporal.errors import PluginUnusable
from spine_temporal.kernel import registries
from spine_temporal.kernel.registries import Kind
from spine_temporal.plugins.allowlist import in_force, is_decided, why_refused
from spine_temporal.plugins.deferred import DeferredProvider
from spine_temporal.plugins.installed import CORE, OURS, Plugin, installed
from spine_temporal.plugins.usage import plugin_of

_log = logging.getLogger(__name__)

# What entry points in the wild begin with; it says the kind, not the name.
_PREFIX: Final = re.compile(r"^(mw|middleware|backend|checkpoint|memory|provider|adapter)[-_.]")
# A shorter name is contained in too many others by chance.
_SHORTEST_LIKENESS: Final = 3
_UNLIKE: Final = 2


def registered(kind: Kind) -> list[str]:
    """The names of that kind that what has been imported so far registered."""
    return registries.names(kind)


def find(kind: Kind, name: str) -> registries.Factory:
    """Return what `name` is registered as, importing plugins until one has registered it.

    First comes the plugin that has the name, then those like it, then the others. One that fails to import is logged
    and left out, so is one that must not be imported.

    Raises:
        PluginUnusable: none registers it, or the one that did is not allowed; the message says what there is, and
            which plugins could not be imported.
    """
    factory = registries.factory(kind, name) or _imported(kind, name)
    allowed = in_force()
    home = plugin_of(factory) if allowed.distributions is not None else None
    refusal = allowed.refusal_of(home) if home is not None else None
    if refusal is not None:
        raise PluginUnusable(f"{_what(kind, name)} cannot be used: {refusal}")
    return factory


def _imported(kind: Kind, name: str) -> registries.Factory:
    near: dict[str, str] = {}
    far: dict[str, str] = {}
    for plugin in sorted(installed(), key=lambda plugin: _distance(plugin, name)):
        problem = why_refused(plugin) or _logged(plugin, import_problem(plugin))
        factory = registries.factory(kind, name)
        if factory is not None:
            return factory
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


def let_the_kernel_find_plugins() -> None:
    """From now on the kernel finds what installed plugins register, whatever their entry points are called.

    That holds for `Agent("acme:some-model")` and for `resolve_middleware`, `resolve_memory`, `resolve_checkpoint`, and
    what is not allowed is refused there too.
    """
    registries.ask(_find_for_the_kernel)


def provider_of(scheme: str, model: str) -> Provider:
    """A new provider of that scheme.

    Raises:
        PluginUnusable: there is none. What its factory raises comes out as it is.
    """
    made: Provider = find(Kind.PROVIDER, scheme)(model)
    return made


def _find_for_the_kernel(kind: Kind, name: str) -> registries.Factory:
    try:
        if kind is Kind.PROVIDER and not is_decided() and registries.factory(kind, name) is None:
            return _undecided(name)
        return find(kind, name)
    except PluginUnusable as error:
        raise (ProviderError if kind is Kind.PROVIDER else SpineError)(str(error)) from error


def _undecided(scheme: str) -> registries.Factory:
    """What makes the provider of an agent that is made before its worker has set which plugins are allowed."""
    near = [plugin for plugin in installed() if _distance(plugin, scheme) < _UNLIKE]
    usable = [plugin for plugin in near if why_refused(plugin) is None]
    if any(plugin.distribution in (CORE, OURS) for plugin in usable):
        return find(Kind.PROVIDER, scheme)
    if usable:
        return lambda model: DeferredProvider(f"{scheme}:{model}", lambda: provider_of(scheme, model))
    refused = {plugin.distribution: why_refused(plugin) or "" for plugin in near}
    missing = _missing(Kind.PROVIDER, scheme, refused, {})
    others = sorted({f"`import {plugin.module}`" for plugin in installed() if why_refused(plugin) is None})
    if near or not others:
        raise PluginUnusable(missing)
    raise PluginUnusable(f"{missing}; if an installed plugin registers it, import that first: {', '.join(others)}")


def is_like_an_installed(name: str) -> bool:
    """Whether the names of an installed plugin contain this one, or it theirs."""
    return any(_distance(plugin, name) < _UNLIKE for plugin in installed())


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
    names = (_plain(plugin.name), _plain(plugin.target), _plain(plugin.distribution))
    alike = any(sought in each for each in names) or (len(bare) >= _SHORTEST_LIKENESS and bare in sought)
    return 1 if alike else _UNLIKE


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _what(kind: Kind, name: str) -> str:
    return f"scheme {name!r}" if kind is Kind.PROVIDER else f"{kind} {name!r}"


def _missing(kind: Kind, name: str, near: dict[str, str], far: dict[str, str]) -> str:
    what = _what(kind, name)
    if near:
        return f"no plugin registers {what}, and what looks like it cannot be used: {'; '.join(near.values())}"
    known = registered(kind)
    close = difflib.get_close_matches(name, known, n=1)
    instead = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
    unread = f"; not looked into: {', '.join(far)}, `spine-temporal plugins --load` says why" if far else ""
    return f"no plugin registers {what}; {instead}{unread}"
