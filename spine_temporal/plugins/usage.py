"""The plugins that serve an agent."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from spine_core import Agent, Tool

from spine_temporal.errors import PluginUnusable
from spine_temporal.plugins.allowlist import why_refused
from spine_temporal.plugins.deferred import DeferredProvider
from spine_temporal.plugins.installed import CORE, OURS, Plugin, installed, version_of
from spine_temporal.plugins.prices import price_version

PRICES: Final = "prices"
_CONTAINERS: Final = (list, tuple, set, frozenset)


def serving(agent: Agent) -> dict[str, str]:
    """The versions of the distributions that the agent is made of: the kernel, ourselves, its plugins.

    Under "prices" that of the tables by which its cost is counted, if there are any: another worker may have others.

    A plugin serves an agent through its provider, a middleware, what a middleware holds (a memory, a fallback), its
    checkpoint backend or a tool.
    """
    plugins = {plugin.distribution: plugin.version for plugin in _behind(agent)}
    always = {name: version_of(name) for name in (CORE, OURS)}
    prices = price_version(agent, _modules(agent))
    return dict(sorted((always | plugins).items())) | ({PRICES: prices} if prices else {})


def refuse_unusable(name: str, agent: Agent) -> None:
    """Refuse an agent made of plugins that must not be used: its code may have imported them by itself.

    Raises:
        PluginUnusable: one is not allowed, or does not work with the kernel that is installed.
    """
    for plugin in _behind(agent):
        refusal = why_refused(plugin)
        if refusal is not None:
            raise PluginUnusable(f"agent {name!r} cannot use what {plugin.module} has: {refusal}")


def plugin_of(part: object) -> Plugin | None:
    """The plugin that a class, a function or an object is from; None: it is from none, or from several."""
    return _home_of(getattr(part, "__module__", None) or type(part).__module__, _homes(installed()))


def _behind(agent: Agent) -> list[Plugin]:
    homes = _homes(installed())
    found: dict[str, Plugin] = {}
    for module in _modules(agent):
        plugin = _home_of(module, homes)
        if plugin is not None:
            found.setdefault(plugin.distribution, plugin)
    return list(found.values())


def _homes(plugins: Iterable[Plugin]) -> Mapping[str, Plugin]:
    """The packages that plugins live in; one that several distributions share is nobody's."""
    homes: dict[str, Plugin] = {}
    shared: set[str] = set()
    for plugin in plugins:
        package = plugin.module.partition(".")[0]
        homes.setdefault(plugin.module, plugin)
        if homes.setdefault(package, plugin).distribution != plugin.distribution:
            shared.add(package)
    return {module: plugin for module, plugin in homes.items() if module not in shared}


def _home_of(module: str, homes: Mapping[str, Plugin]) -> Plugin | None:
    while module:
        if module in homes:
            return homes[module]
        module = module.rpartition(".")[0]
    return None


def _modules(agent: Agent) -> Iterator[str]:
    for part in (agent.provider, agent.checkpoint, *agent.chain.middlewares):
        yield _module_of(part)
        yield from map(_module_of, _held(part))
    for tool in agent.tools.values():
        yield from _modules_of(tool)


def _module_of(part: object) -> str:
    # What a fallback holds, say, may have been made before its worker, too.
    return type(part.provider() if isinstance(part, DeferredProvider) else part).__module__


def _held(part: object) -> Iterator[Any]:
    for value in getattr(part, "__dict__", {}).values():
        yield from value if isinstance(value, _CONTAINERS) else (value,)


def _modules_of(tool: Tool) -> Iterator[str]:
    yield type(tool).__module__
    func: Any = tool.func
    while func is not None:
        yield getattr(func, "__module__", None) or type(func).__module__
        func = getattr(func, "__wrapped__", None)
