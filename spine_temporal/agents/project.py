"""The agents of a project folder."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from spine_cli.builder import build_agent
from spine_cli.config import CONFIG_FILENAME, ConfigError, find_config, load_config
from spine_core import Agent

from spine_temporal.agents.project_modules import Found, agents_in, import_module, named_agent, put_first
from spine_temporal.errors import AgentBroken, BadInput, DuplicateAgent

_UNNAMED: Final = "default"


def find_project(start: Path) -> Path:
    """The project that `start` is in: the nearest folder upwards with a `spine.toml`, else `start` itself."""
    config = find_config(start)
    return start.resolve() if config is None else config.parent


def load_project(folder: Path, extra: Sequence[str] = ()) -> dict[str, Agent]:
    """The agents of the project in `folder`, by name.

    There are three places: the modules in its `agents` package, what `extra` names as "module:attr", and `spine.toml`.
    An agent without a name of its own has its module's: the one in `agents/assistant.py` is "assistant". The one that
    `spine.toml` describes is called what its `[spine] name` says, else "default".

    `folder` goes first on `sys.path`. What is imported stays imported: a process loads one project.

    Raises:
        BadInput: there is no agent, `spine.toml` is not usable, or `extra` names none.
        AgentBroken: a module cannot be imported, or what `spine.toml` describes cannot be built.
        DuplicateAgent: two agents have one name.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInput(f"there is no project folder {str(folder)!r}")
    put_first(folder)
    named: dict[str, Found] = {}
    for found in _everywhere(folder, extra):
        other = named.setdefault(found.name, found)
        if other.agent is not found.agent:
            raise DuplicateAgent(
                f"two agents are named {found.name!r}: {other.where}, and {found.where}; rename one of them "
                f'(Agent(..., name="..."), or name = "..." under [spine] in {CONFIG_FILENAME})'
            )
    if not named:
        raise BadInput(
            f"no agents in {folder}: no module in agents/ has a spine_core.Agent, and no {CONFIG_FILENAME} describes "
            "one; `spine init` begins a project, --project chooses one, --agent module:attr names an agent"
        )
    return {name: found.agent for name, found in named.items()}


def _everywhere(folder: Path, extra: Sequence[str]) -> Iterator[Found]:
    yield from agents_in(folder)
    for target in extra:
        yield named_agent(target, folder)
    if (folder / CONFIG_FILENAME).is_file():
        yield from _described(folder)


def _described(folder: Path) -> Iterator[Found]:
    file = folder / CONFIG_FILENAME
    try:
        config = load_config(file)
        section = tomllib.loads(file.read_text()).get("spine")
    except (ConfigError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: {error}") from error
    if section is None:
        return
    name = section.get("name", _UNNAMED)
    if not isinstance(name, str) or not name.strip():
        raise BadInput(f"{file}: [spine] name is {name!r}, which is no name")
    # The kernel's builder takes a `tools` package that cannot be imported for none, and the agent would lack its tools.
    if (folder / "tools").is_dir() or (folder / "tools.py").is_file():
        import_module("tools", folder)
    try:
        agent = build_agent(config, folder)
    except Exception as error:
        raise AgentBroken(f"{file}: the agent that it describes cannot be built: {error}") from error
    yield Found(name, agent, CONFIG_FILENAME)
