"""Progress is written in one place of the room `workflow`, and nobody keeps a copy of it across an `await`."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from spine_temporal.journal.counters import Progress
from spine_temporal.journal.tool_calls import Call, Calls
from tests.walls.one_writer import STRUCTURED, kept_copies, writers

ROOM = Path(__file__).parents[2] / "spine_temporal" / "workflow"
FILES = sorted(file.relative_to(ROOM) for file in ROOM.rglob("*.py"))


def test_progress_is_written_where_a_session_begins_and_where_it_records() -> None:
    found = {
        (str(file), offence.function): offence.line for file in FILES for offence in writers((ROOM / file).read_text())
    }

    assert set(found) == {("session.py", "Session.__init__"), ("session.py", "Session.record")}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_reducer_is_called_by_the_session_only(file: Path) -> None:
    tree = ast.parse((ROOM / file).read_text())
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("journal.progress")
        for alias in node.names
    ]

    assert "apply" not in imported or str(file) == "session.py"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_function_keeps_a_copy_of_progress_across_an_await(file: Path) -> None:
    assert kept_copies((ROOM / file).read_text()) == []


def test_parts_that_are_looked_for_are_parts_of_a_progress() -> None:
    fields = {name for model in (Progress, Calls, Call) for name in model.__dataclass_fields__}

    assert fields >= STRUCTURED - {"progress"}


@pytest.mark.parametrize(
    "line",
    [
        "session.progress = later",
        "self._session.progress: Progress = later",
        "session.progress |= later",
        "del session.progress",
        "one, session.progress = two, later",
        "for session.progress in many: pass",
        "with opened() as session.progress: pass",
        "setattr(session, 'progress', later)",
        "session.__dict__['progress'] = later",
    ],
)
def test_whoever_writes_progress_is_named(line: str) -> None:
    found = writers(f"class Turn:\n    def move(self):\n        {line}\n")

    assert [(offence.line, offence.function) for offence in found] == [(3, "Turn.move")]


KEPT = {
    "used behind it": """
        progress = session.progress
        await step()
        use(progress)
    """,
    "a part of it": """
        calls, spec = self._session.progress.calls, None
        await step()
        use(calls)
    """,
    "a part of a copy": """
        progress = session.progress
        calls = progress.calls if progress.stop_requested else None
        await step()
        use(calls)
    """,
    "in a loop": """
        progress = session.progress
        while progress.queue:
            await step()
    """,
    "iterated over": """
        for call in session.progress.calls.items:
            await step()
            use(call)
    """,
    "iterated over, with a number": """
        calls = session.progress.calls
        for index, call in enumerate(calls.items if calls is not None else ()):
            use(call)
            await step(calls.position(index))
    """,
    "awaited in one branch": """
        progress = session.progress
        if late:
            await step()
        use(progress)
    """,
    "awaited where it may fail": """
        progress = session.progress
        try:
            await step()
        except TimeoutError:
            use(progress)
    """,
    "caught by a lambda": """
        progress = session.progress
        await step()
        await condition(lambda: progress.over)
    """,
    "the revision": """
        basis = session.basis()
        await step()
        record(basis.revision)
    """,
    "a call": """
        found = call_at(session.progress, "1.0")
        await step()
        use(found.call)
    """,
    "a copy that was changed": """
        progress = replace(session.progress, ending=None)
        await step()
        use(progress)
    """,
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_copy_that_is_kept_is_found(body: str) -> None:
    assert kept_copies(_function(body))


READ_ANEW = {
    "read again": """
        progress = session.progress
        use(progress)
        await step()
        progress = session.progress
        use(progress)
    """,
    "given away": """
        progress = session.progress
        await step(progress)
    """,
    "read in each round": """
        while True:
            progress = session.progress
            use(progress)
            await step()
    """,
    "its number": """
        turn = session.progress.turn
        await step()
        use(turn)
    """,
    "asked for when it is needed": """
        await condition(lambda: session.progress.over)
    """,
}


@pytest.mark.parametrize("body", READ_ANEW.values(), ids=READ_ANEW)
def test_progress_that_is_read_anew_is_no_copy(body: str) -> None:
    assert kept_copies(_function(body)) == []


def _function(body: str) -> str:
    lines = dedent(body).strip().splitlines()
    return "async def move(session):\n" + "".join(f"    {line}\n" for line in lines)
