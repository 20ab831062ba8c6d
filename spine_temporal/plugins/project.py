"""The agents of a project folder."""

import functools
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from spine_cli.config import CONFIG_FILENAME, find_config

from spine_temporal.errors import BadInput, DuplicateAgent
from spine_temporal.plugins.allowlist import AllowList, enforced
from spine_temporal.plugins.loader import let_the_kernel_find_plugins
from spine_temporal.plugins.project_agents import Found, Given, agents_in, named_agent, put_first
from spine_temporal.plugins.spine_toml import described

_log = logging.getLogger(__name__)


def find_project(start: Path) -> Path:
    """The project that `start` is in: the nearest folder upwards with a `spine.toml`, else `start` itself."""
    config = find_config(start)
    return start.resolve() if config is None else config.parent


def load_project(
    folder: Path, extra: Sequence[str] = (), *, allowed_plugins: Collection[str] | None = None
) -> dict[str, Given]:
    """The agents of the project in `folder`, by name.

    There are three places: the modules in its `agents` package, what `extra` names as "module:attr", and `spine.toml`.
    An agent without a name of its own has its module's: the one in `agents/assistant.py` is "assistant". The one that
    `spine.toml` describes is called what its `[spine] name` says, else "default". A function `agent()` of a module in
    `agents`, async or not, is a factory: it makes the agent when that is first needed, in the worker's event loop.
    What `extra` names may be an agent, a team or a factory. A module in `agents` that cannot be imported is logged as
    an error, and the agents of the others are served.

    Plugins are imported when an agent needs them, those of the distributions in `allowed_plugins` only; None: any.

    `folder` goes first on `sys.path`. What is imported stays imported: a process loads one project.

    Raises:
        BadInput: there is no agent, `spine.toml` is not usable, or `extra` names none.
        PluginUnusable: an agent needs a plugin that is not there, is not allowed, or does not fit.
        AgentBroken: no module in `agents` can be imported, one that `extra` names cannot be, or what `spine.toml`
            describes cannot be built.
        DuplicateAgent: two agents have one name.
    """
    with enforced(AllowList.of(allowed_plugins)):
        everywhere = [found for read in places(folder, extra).values() for found in read()]
    usable = [found for found in everywhere if found.broken is None]
    for broken in (found.broken for found in everywhere if found.broken is not None):
        if not usable:
            raise broken
        _log.error("could not import a module of agents: %s; its agents are not served, the others are", broken)
    named = by_name(usable)
    if not named:
        raise BadInput(
            f"no agents in {folder}: no module in agents/ has a spine_core.Agent, and no {CONFIG_FILENAME} describes "
            "one; `spine init` begins a project, --project chooses one, --agent module:attr names an agent"
        )
    return named


def by_name(agents: Iterable[Found]) -> dict[str, Given]:
    """Those agents by their names; those of modules that cannot be imported raise why when they are built.

    Raises:
        DuplicateAgent: two have one name.
    """
    named: dict[str, Found] = {}
    for found in agents:
        other = named.setdefault(found.name, found)
        if other.agent is not found.agent and other.broken is found.broken is None:
            raise DuplicateAgent(
                f"two agents are named {found.name!r}: {other.where}, and {found.where}; rename one of them "
                f'(Agent(..., name="..."), or name = "..." under [spine] in {CONFIG_FILENAME})'
            )
    return {name: found.agent for name, found in named.items()}


def places(folder: Path, extra: Sequence[str] = ()) -> Mapping[str, Callable[[], Sequence[Found]]]:
    """What reads the agents of each place in the project where there may be some, by the name of the place.

    Raises:
        BadInput: there is no such folder.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInput(f"there is no project folder {str(folder)!r}")
    put_first(folder)
    let_the_kernel_find_plugins()
    described_here = {CONFIG_FILENAME: lambda: [*_described(folder)]} if (folder / CONFIG_FILENAME).is_file() else {}
    named = {target: functools.partial(_named, target, folder) for target in extra}
    return {"agents": lambda: agents_in(folder), **named, **described_here}


def _named(target: str, folder: Path) -> Sequence[Found]:
    return [named_agent(target, folder)]


def _described(folder: Path) -> Iterator[Found]:
    found = described(folder)
    if found is not None:
        yield Found(*found, CONFIG_FILENAME)
