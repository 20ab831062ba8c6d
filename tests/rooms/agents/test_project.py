"""Which agents a project folder has."""

import sys
from pathlib import Path

import pytest
from spine_cli.templates import render
from spine_core import Agent

from spine_temporal.errors import AgentBroken, BadInput, DuplicateAgent
from spine_temporal.plugins.project import find_project, load_project
from tests.rooms.agents.conftest import Project

_AGENT = """\
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text

agent = Agent(ScriptedProvider(text("hi")){more})
"""
_UNNAMED = _AGENT.format(more="")
_NAMED = _AGENT.format(more=", name='boss'")
_TOML = '[spine]\ndefault_model = "offline:planner"\n'


def test_a_fresh_scaffold_has_its_assistant_and_the_agent_of_its_spine_toml(project: Project) -> None:
    folder = project(render("demo"))

    agents = load_project(folder)

    assert sorted(agents) == ["assistant", "default"]
    assistant, default = agents["assistant"], agents["default"]
    assert isinstance(assistant, Agent)
    assert isinstance(default, Agent)
    assert list(assistant.tools) == list(default.tools) == ["echo"]
    assert default.guards.max_steps == 8


def test_an_agent_without_a_name_is_called_like_its_module(project: Project) -> None:
    assert list(load_project(project({"agents/clerk.py": _UNNAMED}))) == ["clerk"]


def test_an_agent_with_a_name_keeps_it(project: Project) -> None:
    assert list(load_project(project({"agents/clerk.py": _NAMED}))) == ["boss"]


def test_the_agent_of_spine_toml_is_called_what_the_file_says(project: Project) -> None:
    assert list(load_project(project({"spine.toml": _TOML + 'name = "planner"\n'}))) == ["planner"]


def test_modules_and_attributes_with_an_underscore_are_private(project: Project) -> None:
    folder = project({"agents/_draft.py": _UNNAMED, "agents/clerk.py": _UNNAMED + "_other = Agent(agent.provider)\n"})

    assert list(load_project(folder)) == ["clerk"]


def test_an_agent_that_another_module_imports_counts_once_where_it_is_made(project: Project) -> None:
    folder = project(
        {
            "agents/team.py": "from agents.writer import agent as writer\n" + _UNNAMED,
            "agents/writer.py": _UNNAMED,
        }
    )

    assert sorted(load_project(folder)) == ["team", "writer"]


def test_an_agent_from_outside_the_folder_is_called_like_the_module_that_has_it(project: Project) -> None:
    folder = project({"house/butler.py": _UNNAMED, "agents/help.py": "from house.butler import agent\n"})

    assert list(load_project(folder)) == ["help"]


def test_an_agent_named_on_the_command_line_is_served_too(project: Project) -> None:
    folder = project({"house/butler.py": _UNNAMED, "agents/clerk.py": _UNNAMED})

    assert sorted(load_project(folder, ["house.butler:agent"])) == ["butler", "clerk"]


def test_the_project_comes_before_everything_else_on_the_path(project: Project) -> None:
    folder = project({"agents/clerk.py": _UNNAMED})

    load_project(folder)

    assert sys.path[0] == str(folder)


@pytest.mark.parametrize("second", ["agents/b.py", "spine.toml"])
def test_two_agents_of_one_name_are_refused_with_both_places(project: Project, second: str) -> None:
    text = _NAMED if second.endswith(".py") else _TOML + 'name = "boss"\n'
    folder = project({"agents/a.py": _NAMED, second: text})

    with pytest.raises(DuplicateAgent, match=rf"'boss': agents/a.py \(agent\), and {second}"):
        load_project(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_package\n", r"agents/a.py:1: ModuleNotFoundError: No module named 'no_such_package'"),
        ("\n1 / 0\n", r"agents/a.py:2: ZeroDivisionError"),
        ("x = (\n", r"agents/a.py:1: SyntaxError"),
        ("import json\n\njson.loads('{')\n", r"agents/a.py:3: JSONDecodeError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_line(project: Project, text: str, said: str) -> None:
    with pytest.raises(AgentBroken, match=said):
        load_project(project({"agents/a.py": text}))


def test_a_module_that_cannot_be_imported_does_not_keep_the_others_from_being_served(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    folder = project({"agents/a.py": "oops\n", "agents/b.py": _UNNAMED})

    assert list(load_project(folder)) == ["b"]
    (message,) = caplog.messages
    assert message.startswith("could not import a module of agents: ")
    assert message.endswith(
        "agents/a.py:1: NameError: name 'oops' is not defined; its agents are not served, the others are"
    )


def test_a_broken_tools_package_is_not_an_agent_without_tools(project: Project) -> None:
    with pytest.raises(AgentBroken, match=r"tools/__init__.py:1: NameError"):
        load_project(project({"spine.toml": _TOML, "tools/__init__.py": "oops\n"}))


@pytest.mark.parametrize(
    ("toml", "error", "said"),
    [
        ("[spine", BadInput, "not valid TOML"),
        ("[spine]\nname = 3\n", BadInput, "name is 3"),
        ('[spine]\nsystem = "${NO_SUCH_VARIABLE}"\n', BadInput, "NO_SUCH_VARIABLE"),
        ('[spine]\ndefault_model = "nowhere:x"\n', AgentBroken, "no plugin registers scheme 'nowhere'"),
        ('[spine.middleware]\nchain = ["nothing"]\n', AgentBroken, "nothing"),
        (
            '[spine]\ndefaultmodel = "x"\n',
            BadInput,
            r"'defaultmodel' in \[spine\]; did you mean 'default_model'",
        ),
        (
            "[spine.guards]\nmax_step = 3\n",
            BadInput,
            r"'max_step' in \[spine.guards\]; did you mean 'max_steps'",
        ),
        (
            "[spine.middleware]\nchains = []\n",
            BadInput,
            r"'chains' in \[spine.middleware\]; did you mean 'chain'",
        ),
        (
            '[spine.backends]\nzzz = "x"\n',
            BadInput,
            r"'zzz' in \[spine.backends\]; there are: checkpoint, memory",
        ),
        ('[spine.middleware]\nchain = ["Retry"]\n[spine.plugins.Rety]\n', BadInput, "did you mean 'Retry'"),
    ],
)
def test_a_spine_toml_that_describes_no_agent_is_named(
    project: Project, toml: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=rf"spine.toml: .*{said}"):
        load_project(project({"spine.toml": toml}))


def test_a_spine_toml_without_a_spine_table_describes_no_agent(project: Project) -> None:
    assert list(load_project(project({"spine.toml": "[tool.x]\n", "agents/a.py": _UNNAMED}))) == ["a"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("agents.a", "write module:attr"),
        ("agents.nope:agent", "no module 'agents.nope'"),
        ("agents.a:nope", "nothing under the name 'nope'"),
        ("agents.a:Agent", "a type, not a spine_core.Agent"),
    ],
)
def test_a_target_that_names_no_agent_is_refused(project: Project, target: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        load_project(project({"agents/a.py": _UNNAMED}), [target])


def test_a_folder_without_agents_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="spine init"):
        load_project(tmp_path)
    with pytest.raises(BadInput, match="there is no project folder"):
        load_project(tmp_path / "nowhere")


def test_an_installed_package_named_agents_is_told_from_the_projects(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path_factory.mktemp("site")
    (installed / "agents").mkdir()
    (installed / "agents" / "__init__.py").touch()
    monkeypatch.syspath_prepend(installed)
    folder = project({"agents/a.py": _UNNAMED})

    with pytest.raises(AgentBroken, match=r"an empty .*agents/__init__.py"):
        load_project(folder)


def test_the_project_is_looked_for_upwards(project: Project) -> None:
    folder = project({"spine.toml": _TOML, "agents/deep/a.txt": ""})

    assert find_project(folder / "agents" / "deep") == folder
