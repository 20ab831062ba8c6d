"""The agent that a `spine.toml` describes."""

import tomllib
from collections.abc import Callable, Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from spine_cli.config import (
    CONFIG_FILENAME,
    BackendsConfig,
    ConfigError,
    MiddlewareConfig,
    SpineConfig,
    load_config,
)
from spine_core import Agent, Guards, Tool
from spine_middleware import MemoryRecall

from spine_temporal.contracts.base import problem_in
from spine_temporal.errors import AgentBroken, BadInput, PluginUnusable
from spine_temporal.kernel.registries import Kind
from spine_temporal.plugins import loader
from spine_temporal.plugins.project_agents import import_module

_UNNAMED: Final = "default"
_RECALL: Final = MemoryRecall.__name__
# The kernel's middleware that is registered under no name, for its arguments are objects.
_CODE_ONLY: Final = frozenset({"StructuredOutput", "Recorder", "Replayer"})
_OUR_KEYS: Final = frozenset({"name"})
_TABLES: Final[dict[str, type[BaseModel]]] = {
    "guards": Guards,
    "middleware": MiddlewareConfig,
    "backends": BackendsConfig,
}


def described(folder: Path) -> tuple[str, Agent] | None:
    """The agent of the `spine.toml` in `folder`, with its name; None: the file describes none.

    It is built as spine's own CLI builds it, with two differences: only the plugins that the file names are imported,
    and `[spine.backends] memory` is used: `MemoryRecall` gets it, at its place in the chain, else before all others.

    Raises:
        BadInput: the file is not usable.
        PluginUnusable: it names a plugin that is not there, is not allowed, or does not fit.
        AgentBroken: what it describes cannot be built.
    """
    file = folder / CONFIG_FILENAME
    config, section = read(file)
    if section is None:
        return None
    _refuse(file, _misspelt_keys(section))
    name = section.get("name", _UNNAMED)
    if not isinstance(name, str) or not name.strip():
        raise BadInput(f"{file}: [spine] name is {name!r}; a name is a text that is not empty")
    try:
        agent = _build(config, folder)
    except PluginUnusable as error:
        raise PluginUnusable(f"{file}: {error}") from error
    except _Wrong as error:
        raise AgentBroken(f"{file}: {error}") from error.__cause__
    # Only now: as long as a name in the chain is misspelt, that of its settings is the right one.
    _refuse(file, _misspelt_plugins(config))
    return name, agent


def _refuse(file: Path, problems: list[str]) -> None:
    if problems:
        raise BadInput(f"{file}: {'; '.join(problems)}")


def read(file: Path) -> tuple[SpineConfig, dict[str, Any] | None]:
    """What the file says, with its table `[spine]` as it was written; None: it has no such table.

    Raises:
        BadInput: it is not usable; the message is one line.
    """
    try:
        config = load_config(file)
        section = tomllib.loads(file.read_text()).get("spine")
    except (ConfigError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: {_in_one_line(error)}") from error
    return config, section


def unknown_in(config: SpineConfig, section: dict[str, Any]) -> list[str]:
    """What in `[spine]` has no effect, one sentence each: misspelt, or for a plugin that is not used."""
    return _misspelt_keys(section) + [
        f"[spine.plugins.{name}] is set for a plugin that neither the chain nor a backend names"
        for name in _unused(config)
    ]


def _misspelt_keys(section: dict[str, Any]) -> list[str]:
    found = _unknown("[spine]", section, {*SpineConfig.model_fields, *_OUR_KEYS})
    for name, model in _TABLES.items():
        table = section.get(name)
        if isinstance(table, dict):
            found += _unknown(f"[spine.{name}]", table, set(model.model_fields))
    return found


def _misspelt_plugins(config: SpineConfig) -> list[str]:
    # The settings of a plugin that is installed may stay in the file while it is not used.
    unknown = [name for name in _unused(config) if not loader.is_like_an_installed(name)]
    close = {name: get_close_matches(name, sorted(_used(config)), n=1) for name in unknown}
    return [
        f"[spine.plugins.{name}] is set, but no plugin {name!r} is used; {_did_you_mean(names)}"
        for name, names in close.items()
        if names
    ]


def _unknown(table: str, given: dict[str, Any], known: set[str]) -> list[str]:
    return [
        f"unknown key {key!r} in {table}; {_did_you_mean(get_close_matches(key, sorted(known), n=1), known)}"
        for key in given
        if key not in known
    ]


def _did_you_mean(close: list[str], known: Collection[str] = ()) -> str:
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known))}"


def _used(config: SpineConfig) -> set[str]:
    backends = (config.backends.checkpoint, config.backends.memory)
    return {*config.middleware.chain, *(name for name in backends if name), _RECALL}


def _unused(config: SpineConfig) -> list[str]:
    return [name for name in config.plugins if name not in _used(config)]


class _Wrong(Exception):
    """A part of the description cannot be built; says which."""


def _build(config: SpineConfig, folder: Path) -> Agent:
    backends = config.backends
    memory = _part(config, loader.memory, backends.memory) if backends.memory else None
    chain = config.middleware.chain
    if memory is not None and _RECALL not in chain:
        chain = [_RECALL, *chain]
    middleware = [_middleware(config, name, memory) for name in chain]
    checkpoint = _part(config, loader.checkpoint, backends.checkpoint) if backends.checkpoint else None
    return _made(
        f"[spine] default_model {config.default_model!r}",
        lambda: Agent(
            config.default_model,
            tools=_tools(folder),
            guards=config.guards,
            middleware=middleware,
            checkpoint=checkpoint,
            system=config.system,
        ),
    )


def _middleware(config: SpineConfig, name: str, memory: Any) -> Any:
    if name == _RECALL:
        if memory is None:
            raise _Wrong(f"the chain has {_RECALL}, which needs a memory; name one under [spine.backends] memory")
        return _part(config, lambda _, **arguments: MemoryRecall(memory, **arguments), name)
    if name in _CODE_ONLY and name not in loader.registered(Kind.MIDDLEWARE):
        raise _Wrong(f"the chain has {name}, which is made of objects that a file cannot hold; use it from code")
    return _part(config, loader.middleware, name)


def _part(config: SpineConfig, make: Callable[..., Any], name: str) -> Any:
    return _made(f"[spine.plugins.{name}]", lambda: make(name, **config.plugins.get(name, {})))


def _made[Part](where: str, make: Callable[[], Part]) -> Part:
    try:
        return make()
    except (BadInput, AgentBroken):
        raise
    except Exception as error:
        raise _Wrong(f"{where}: {_in_one_line(error)}") from error


def _tools(folder: Path) -> list[Tool]:
    """The tools that the project's package `tools` has."""
    if not (folder / "tools").is_dir() and not (folder / "tools.py").is_file():
        return []
    return [value for value in vars(import_module("tools", folder)).values() if isinstance(value, Tool)]


def _in_one_line(error: Exception) -> str:
    invalid = error if isinstance(error, ValidationError) else error.__cause__
    return problem_in(invalid) if isinstance(invalid, ValidationError) else " ".join(str(error).split())
