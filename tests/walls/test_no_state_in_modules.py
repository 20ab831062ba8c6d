"""Workflow modules hold nothing that a run could leave to another: in a worker's sandbox all runs share them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_WORKFLOW: Final = Path(__file__).parents[2] / "spine_temporal" / "workflow"
_FILES: Final = sorted(_WORKFLOW.rglob("*.py"))
# What is called for a constant; whatever else is called might make something that fills.
_CONSTANTS: Final = {"ActivityPolicy", "frozenset", "len", "timedelta", "tuple"}
_CACHES: Final = {"cache", "lru_cache", "cached_property"}


def state_in(source: str) -> Iterator[str]:
    """What of a module could differ after a run."""
    tree = ast.parse(source)
    bodies = [tree.body, *(each.body for each in ast.walk(tree) if isinstance(each, ast.ClassDef))]
    for statement in (each for body in bodies for each in body):
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.List | ast.Set | ast.Dict) and not (ast.unparse(value).strip("{[]}")):
            yield f"line {statement.lineno}: an empty container"
        elif isinstance(value, ast.Call) and ast.unparse(value.func) not in _CONSTANTS:
            yield f"line {statement.lineno}: {ast.unparse(value.func)}(...)"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {ast.unparse(each).partition("(")[0].rpartition(".")[2] for each in node.decorator_list}
            yield from (f"line {node.lineno}: @{name}" for name in names & _CACHES)


@pytest.mark.parametrize("path", _FILES, ids=[str(each.relative_to(_WORKFLOW)) for each in _FILES])
def test_a_run_leaves_nothing_in_a_module(path: Path) -> None:
    assert list(state_in(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "seen = []",
        "seen: Final = {}",
        "seen = set()",
        "runs: Final = WeakSet[Run]()",
        "counted = itertools.count()",
        "class Run:\n    all: ClassVar = []",
        "def f():\n    global n\n    n = 1",
        "@functools.lru_cache(maxsize=None)\ndef f(): ...",
    ],
)
def test_what_could_be_filled_is_found(source: str) -> None:
    assert list(state_in(source))
