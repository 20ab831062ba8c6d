"""No payload names code: nothing is unpickled or evaluated, no module is imported by a name that is not the user's."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file.relative_to(ROOT) for folder in ("spine_temporal", "workers") for file in (ROOT / folder).rglob("*.py")
)

_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle"}
_CALLS = {"eval", "exec", "compile", "__import__", "import_module", "resolve_name", "ImportString", "unsafe_load"}
# Public names of the package itself; a project's own modules, as its user wrote them in its settings or typed them.
_IMPORTING = {
    "spine_temporal/__init__.py",
    "spine_temporal/plugins/project_agents.py",
    "spine_temporal/plugins/spine_toml.py",
}
# The lines that the SDK executes in its sandbox; nothing else comes there.
_COMPILING = {"spine_temporal/worker/shared_modules.py"}
# What is read of a history, a payload or a request.
_READING = {"contracts", "journal", "workflow", "activities", "history", "checkpoint", "encryption", "codec_server"}


def dangers(source: str) -> list[str]:
    """What could make code of data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in _MODULES]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _MODULES:
            found.append(str(node.module))
        if isinstance(node, ast.Call | ast.Attribute | ast.Name):
            called = node.func if isinstance(node, ast.Call) else node
            # `re.compile` compiles no code.
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in _CALLS and not ast.unparse(called).startswith("re."):
                found.append(name)
    return found


@pytest.mark.parametrize("file", FILES, ids=str)
def test_file_makes_no_code_of_data(file: Path) -> None:
    found = dangers((ROOT / file).read_text())

    by_name, compiled = str(file) in _IMPORTING, str(file) in _COMPILING
    allowed = ({"import_module"} if by_name else set()) | ({"compile"} if compiled else set())
    assert set(found) <= allowed


def test_the_files_that_import_by_name_are_no_more_than_needed() -> None:
    importing = {str(file) for file in FILES if "import_module" in dangers((ROOT / file).read_text())}

    assert importing == _IMPORTING


def test_whatever_reads_payloads_is_among_the_files_that_import_nothing_by_name() -> None:
    assert [file for file in _IMPORTING if Path(file).parts[1] in _READING] == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import pickle", "pickle"),
        ("from marshal import loads", "marshal"),
        ("import importlib\nimportlib.import_module(name)", "import_module"),
        ("load = eval", "eval"),
        ("__import__(name)", "__import__"),
    ],
)
def test_what_is_dangerous_is_found(source: str, name: str) -> None:
    assert name in dangers(source)
