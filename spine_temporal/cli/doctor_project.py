"""What is in order with the interpreter, a project, its agents, their plugins."""

import os
import platform
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from spine_cli.config import CONFIG_FILENAME
from spine_core import Agent

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.agents.teams import Team, members_of
from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.errors import DuplicateAgent, SpineTemporalError
from spine_temporal.plugins.allowlist import why_refused
from spine_temporal.plugins.installed import CORE, OURS, installed
from spine_temporal.plugins.loader import import_problem
from spine_temporal.plugins.project import by_name, places
from spine_temporal.plugins.project_agents import Found
from spine_temporal.plugins.requirements import missing_for
from spine_temporal.plugins.spine_toml import read, unknown_in
from spine_temporal.plugins.usage import serving
from spine_temporal.telemetry.spans import is_traced_by_spine

_ENV_EXAMPLE: Final = ".env.example"
_TWO_TRACERS: Final = (
    "has spine's OTelMiddleware: on a worker that records spans itself (a tracer provider is set up, and not "
    "Telemetry(spans=False)) invoke_agent, chat and execute_tool replace its spine.run, spine.model and spine.tool.*; "
    "elsewhere its spans are one tree per run"
)
_VARIABLE: Final = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\$\{([^}]+)\}")
# Of spine's own adapters: their SDKs read these.
_KEYS: Final = {"spine_providers.openai": "OPENAI_API_KEY", "spine_providers.anthropic": "ANTHROPIC_API_KEY"}


async def check_project(folder: Path, extra: Sequence[str]) -> list[Finding]:
    """What was found, in the order in which a worker would come upon it."""
    return [found async for found in _findings(folder, extra)]


async def _findings(folder: Path, extra: Sequence[str]) -> AsyncIterator[Finding]:
    versions = ", ".join(f"{name} {version(name)}" for name in (OURS, CORE, "temporalio"))
    yield Finding(Level.OK, "interpreter", f"Python {platform.python_version()}, {versions}")
    for finding in _file(folder / CONFIG_FILENAME):
        yield finding
    agents: dict[str, Agent] = {}
    everywhere: list[Found] = []
    for place, read_there in places(folder, extra).items():
        async for finding in _agents(place, read_there, agents, everywhere):
            yield finding
    try:
        by_name(everywhere)
    except DuplicateAgent as error:
        yield Finding(Level.FIX, "agents", str(error))
    for finding in (*_plugins(), *_keys(folder, agents)):
        yield finding


def _file(file: Path) -> Iterator[Finding]:
    if not file.is_file():
        yield Finding(Level.NOTE, CONFIG_FILENAME, f"none in {file.parent}; `spine init` writes one")
        return
    try:
        config, section = read(file)
    except SpineTemporalError as error:
        yield Finding(Level.FIX, CONFIG_FILENAME, str(error))
        return
    yield Finding(Level.OK, CONFIG_FILENAME, str(file))
    for unknown in unknown_in(config, section or {}):
        yield Finding(Level.NOTE, CONFIG_FILENAME, unknown)


async def _agents(
    place: str, read_there: Callable[[], Sequence[Found]], agents: dict[str, Agent], everywhere: list[Found]
) -> AsyncIterator[Finding]:
    """What is found of the agents of one place, added to `everywhere`; those that can be built, to `agents`."""
    try:
        found = read_there()
    except SpineTemporalError as error:
        yield Finding(Level.FIX, place, str(error))
        return
    everywhere += found
    for each in found:
        try:
            agent = await _built(each)
        except SpineTemporalError as error:
            yield Finding(Level.FIX, f"agent {each.name}", str(error))
            continue
        if not isinstance(agent, Agent):
            yield Finding(Level.OK, f"team {each.name}", f"of {', '.join(members_of(agent))}")
            continue
        agents[each.name] = agent
        made_of = ", ".join(f"{name} {number}" for name, number in serving(agent).items() if name != OURS)
        yield Finding(Level.OK, f"agent {each.name}", f"made of {made_of}")
        if is_traced_by_spine(agent):
            yield Finding(Level.NOTE, f"agent {each.name}", _TWO_TRACERS)
        for lacking in missing_for(agent.provider):
            text = f"its provider, of {lacking.needed_by}, needs {lacking.package}, which is not installed"
            yield Finding(Level.FIX, f"agent {each.name}", text, f"`{lacking.install}`")


async def _built(found: Found) -> Agent | Team:
    registry = AgentRegistry({found.name: found.agent})
    try:
        return await registry.find(found.name)
    finally:
        await registry.aclose()


def _plugins() -> Iterator[Finding]:
    problems: dict[str, str] = {}
    for plugin in installed():
        problem = why_refused(plugin) or import_problem(plugin)
        if problem is not None:
            problems.setdefault(plugin.distribution, problem)
    for problem in problems.values():
        yield Finding(Level.NOTE, "plugin", f"{problem}: no agent may need it")
    usable = {
        f"{plugin.distribution} {plugin.version}" for plugin in installed() if plugin.distribution not in problems
    }
    yield Finding(Level.OK, "plugins", ", ".join(sorted(usable)))


def _keys(folder: Path, agents: dict[str, Agent]) -> Iterator[Finding]:
    """Names only: what a key is belongs nowhere."""
    wanted: dict[str, str] = {}
    for name, agent in agents.items():
        key = _KEYS.get(type(agent.provider).__module__)
        if key is not None:
            wanted.setdefault(key, f"the model of agent {name!r} needs it")
    for file, pattern in ((CONFIG_FILENAME, _REFERENCE), (_ENV_EXAMPLE, _VARIABLE)):
        if (folder / file).is_file():
            for key in pattern.findall((folder / file).read_text(encoding="utf-8", errors="replace")):
                wanted.setdefault(key, f"{file} names it")
    for key, why in wanted.items():
        if os.environ.get(key):
            yield Finding(Level.OK, key, f"set; {why}")
        else:
            yield Finding(Level.FIX, key, f"not set; {why}", "give it to the worker's environment")
