"""A checkpoint backend, a memory, that keep files in a folder."""

import hashlib
from pathlib import Path
from typing import Any

from spine_core import State, register_checkpoint
from spine_core.memory import MemoryHit, MemoryRecord
from spine_core.registry import register_memory

__all__ = ["FolderCheckpoint", "NotesMemory"]


class FolderCheckpoint:
    """One JSON file a session."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    async def put(self, state: State) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self._file(state.session_id).with_suffix(".new")
        written.write_text(state.model_dump_json())
        written.replace(self._file(state.session_id))

    async def get(self, session_id: str) -> State | None:
        file = self._file(session_id)
        return State.model_validate_json(file.read_text()) if file.exists() else None

    async def delete(self, session_id: str) -> None:
        self._file(session_id).unlink(missing_ok=True)

    def _file(self, session_id: str) -> Path:
        return self.folder / f"{hashlib.sha256(session_id.encode()).hexdigest()[:32]}.json"


class NotesMemory:
    """One file, a line for each record; found are the last ones that share a word with what is sought."""

    def __init__(self, file: str) -> None:
        self.file = Path(file)

    async def save(
        self, content: str, *, session_id: str | None = None, metadata: dict[str, Any] | None = None
    ) -> MemoryRecord:
        record = MemoryRecord(
            id=hashlib.sha256(content.encode()).hexdigest()[:16],
            content=content,
            session_id=session_id,
            metadata=metadata or {},
        )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as notes:
            notes.write(record.model_dump_json() + "\n")
        return record

    async def search(self, query: str, *, k: int = 5, session_id: str | None = None) -> list[MemoryHit]:
        words = {*query.lower().split()}
        found = [note for note in self._notes(session_id) if words & {*note.content.lower().split()}]
        return [MemoryHit(record=note, score=1.0) for note in reversed(found[-k:])]

    async def load(self, session_id: str, *, limit: int = 20) -> list[MemoryRecord]:
        return self._notes(session_id)[-limit:]

    def _notes(self, session_id: str | None) -> list[MemoryRecord]:
        if not self.file.exists():
            return []
        notes = [MemoryRecord.model_validate_json(line) for line in self.file.read_text().splitlines()]
        return [note for note in notes if session_id in (None, note.session_id)]


register_checkpoint("folder", FolderCheckpoint)
register_memory("notes", NotesMemory)
