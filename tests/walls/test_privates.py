"""Only the room `kernel` touches private parts of spinekit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "spine_temporal"
FILES = sorted(file.relative_to(ROOT) for file in ROOT.rglob("*.py") if file.relative_to(ROOT).parts[0] != "kernel")


def touches(source: str) -> list[str]:
    """The private names of other packages that the source reaches for."""
    tree = ast.parse(source)
    found: list[str] = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("spine_")
            and not _ours(node.module or "")
        ):
            path = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            found += [name for name in path if _private(name)]
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names if alias.name.startswith("spine_") and not _ours(alias.name)]
            found += [part for module in modules for part in module.split(".") if _private(part)]
        if isinstance(node, ast.Attribute) and _private(node.attr) and node.attr not in _own(tree):
            found.append(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "<locals>" in node.value:
            found.append(node.value)
    return found


def _own(tree: ast.AST) -> set[str]:
    """The private names that a file itself gives: to functions, classes, fields, attributes of `self` and `cls`."""
    given = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            given |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            given.add(node.attr)
    return given


def _ours(module: str) -> bool:
    return module.split(".")[0] == "spine_temporal"


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


# The standard library's own: `os._exit`, the only way to run what was registered to run at exit, a method that every
# named tuple has.
_STANDARD = {"_current_frames", "_exit", "_replace", "_run_exitfuncs"}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_file_touches_nothing_private(file: Path) -> None:
    assert set(touches((ROOT / file).read_text())) <= _STANDARD


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from spine_core.agent import _DEPTH", "_DEPTH"),
        ("from spine_core import provider\nprovider._REGISTRY", "_REGISTRY"),
        ("import spine_core._hidden", "_hidden"),
        ("middleware._tracer = None", "_tracer"),
        ("NAME = 'Agent.as_tool.<locals>.call'", "Agent.as_tool.<locals>.call"),
    ],
)
def test_whoever_touches_one_is_named(source: str, name: str) -> None:
    assert touches(source) == [name]
