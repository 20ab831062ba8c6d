"""Agents that are attributes of a project's modules."""

import functools
import importlib
import inspect
import pkgutil
import symtable
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from spine_core import Agent

from spine_temporal.agents.teams import Team, is_team
from spine_temporal.errors import AgentBroken, BadInput

_PACKAGE: Final = "agents"
_FACTORY: Final = "agent"

type Given = Agent | Team | Callable[[], Any]
"""An agent, a team, or what makes one."""


@dataclass(frozen=True, slots=True)
class Found:
    """An agent, the name that clients ask for it by, and where it is defined."""

    name: str
    agent: Given
    where: str
    broken: AgentBroken | None = None
    """Why the module cannot be imported; then `name` is the module's and `agent` raises this. None: it can be."""


def put_first(folder: Path) -> None:
    """Have modules looked for in `folder` before anywhere else."""
    sys.path[:] = [str(folder), *(path for path in sys.path if path != str(folder))]


def agents_in(folder: Path) -> list[Found]:
    """The agents that the modules in `folder/agents` have, in the modules' order by name.

    An agent that several modules have counts once, for the module that makes it. Modules and attributes with a leading
    underscore are private. A module that cannot be imported does not keep the others from being read.

    Raises:
        AgentBroken: the package cannot be imported, or another package named `agents` comes before the project's.
    """
    home = folder / _PACKAGE
    names = sorted(module.name for module in pkgutil.iter_modules([str(home)]) if module.name[0] != "_")
    if not names:
        return []
    paths = [Path(path).resolve() for path in import_module(_PACKAGE, folder).__path__]
    if home not in paths:
        raise AgentBroken(
            f"{home} is not what `import {_PACKAGE}` finds, that is {', '.join(map(str, paths))}; "
            f"an empty {home / '__init__.py'} puts the project's first"
        )
    made: dict[int, Found] = {}
    had: dict[int, Found] = {}
    broken: list[Found] = []
    for name in names:
        try:
            module = import_module(f"{_PACKAGE}.{name}", folder)
        except AgentBroken as error:
            broken.append(Found(name, functools.partial(_raise, error), f"{_PACKAGE}/{name}.py", broken=error))
            continue
        for attribute, agent in _public_agents(module):
            where = f"{_PACKAGE}/{name}.py ({attribute})"
            found = made if _makes(module, attribute) else had
            found.setdefault(id(agent), Found(_name_of(agent) or name, agent, where))
    return [*(had | made).values(), *broken]


def named_agent(target: str, folder: Path) -> Found:
    """The agent that `target` names as "module:attr".

    Raises:
        BadInput: it names none.
        AgentBroken: the module cannot be imported.
    """
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise BadInput(f"{target!r} names no agent; write module:attr, for instance agents.assistant:agent")
    agent = getattr(import_module(name, folder), attribute, None)
    if not isinstance(agent, Agent) and not is_team(agent) and not inspect.isroutine(agent):
        what = "nothing" if agent is None else f"a {type(agent).__name__}, not a spine_core.Agent"
        raise BadInput(f"{target!r} names no agent: {name} has {what} under the name {attribute!r}")
    return Found(_name_of(agent) or name.rpartition(".")[2], agent, target)


def import_module(name: str, folder: Path) -> ModuleType:
    """The module of that name.

    Raises:
        BadInput: there is none.
        AgentBroken: importing it raised; the message says at which line of the project in `folder`.
    """
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise BadInput(f"there is no module {name!r}, neither in {folder} nor installed") from error
        raise AgentBroken(f"{_blamed(error, folder) or name}: {type(error).__name__}: {error}") from error


def _raise(error: AgentBroken) -> NoReturn:
    raise error


def _public_agents(module: ModuleType) -> Iterator[tuple[str, Given]]:
    for attribute, value in vars(module).items():
        if (isinstance(value, Agent) and attribute[0] != "_") or (attribute == _FACTORY and inspect.isfunction(value)):
            yield attribute, value


def _name_of(agent: Given) -> str | None:
    return agent.name if isinstance(agent, Agent) else None


def _makes(module: ModuleType, attribute: str) -> bool:
    if module.__file__ is None:
        return False
    names = symtable.symtable(Path(module.__file__).read_text(), module.__file__, "exec")
    return attribute in names.get_identifiers() and not names.lookup(attribute).is_imported()


def _blamed(error: BaseException, folder: Path) -> str | None:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(folder) and "site-packages" not in file.parts:
            return f"{frame.filename}:{frame.lineno}"
    return None
