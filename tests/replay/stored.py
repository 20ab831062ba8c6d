"""Recorded histories, as files: one folder per version, two files per run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from spine_core import Result, State
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.history.fold import Fold
from spine_temporal.journal.result import result_of

FOLDER: Final = Path(__file__).parent / "histories"
RECORDER: Final = "recorder"
"""Who the client and the worker of a recording say they are."""
GUARDS: Final = (names.BUDGET_WORKFLOW, names.ONCE_WORKFLOW, names.RATE_WORKFLOW)


class Expected(BaseModel):
    """What a history was folded to by the version that recorded it."""

    answer: str | None
    stopped_reason: str
    error: str | None
    state: State
    trace: list[tuple[str, int, dict[str, Any]]]

    @classmethod
    def of(cls, result: Result) -> "Expected":
        """Everything of `result` but the clock's part."""
        return cls(
            answer=result.answer,
            stopped_reason=result.stopped_reason,
            error=result.error,
            state=result.state,
            trace=[(event.type, event.step, event.data) for event in result.trace],
        )


@dataclass(frozen=True)
class Stored:
    """One recorded run."""

    version: str
    name: str

    def __str__(self) -> str:
        return f"{self.version}/{self.name}"

    @property
    def _history_file(self) -> Path:
        return FOLDER / self.version / f"{self.name}.json"

    @property
    def _expected_file(self) -> Path:
        return FOLDER / self.version / f"{self.name}.expected.json"

    @property
    def exists(self) -> bool:
        """It has been recorded."""
        return self._history_file.exists()

    @property
    def text(self) -> str:
        """The history's JSON."""
        return self._history_file.read_text()

    def history(self) -> WorkflowHistory:
        """The history as Temporal's replayer takes it."""
        return WorkflowHistory.from_json(f"spine-{self.name}", self.text)

    def expected(self) -> Expected:
        """What it must be folded to."""
        return Expected.model_validate_json(self._expected_file.read_bytes())

    def write(self, history: WorkflowHistory, result: Result) -> None:
        """Keep a run; what was kept under that name is gone."""
        self._history_file.parent.mkdir(parents=True, exist_ok=True)
        self._history_file.write_text(history.to_json() + "\n")
        self._expected_file.write_text(Expected.of(result).model_dump_json(indent=1) + "\n")


def write_guard(version: str, workflow_type: str, history: WorkflowHistory) -> None:
    """Keep the history of a guard's workflow."""
    file = FOLDER / version / "guards" / f"{workflow_type}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(history.to_json() + "\n")


def read_guard(file: Path) -> WorkflowHistory:
    """The history that `write_guard` kept."""
    return WorkflowHistory.from_json(file.stem, file.read_text())


def guards_of(version: str) -> list[Path]:
    """The histories of guards' workflows that a version recorded; "*" stands for all versions."""
    return sorted(FOLDER.glob(f"{version}/guards/*.json"))


def write_scene(version: str, scene: str, histories: list[WorkflowHistory]) -> None:
    """Keep what a scene left, execution by execution."""
    folder = FOLDER / version / "scenes" / scene
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for number, history in enumerate(histories):
        kind = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
        (folder / f"{number:02} {kind}.json").write_text(history.to_json() + "\n")


def scenes_of(version: str) -> list[Path]:
    """The histories that scenes left in a version; "*" stands for all versions."""
    return sorted(FOLDER.glob(f"{version}/scenes/*/*.json"))


def read_scene(file: Path) -> WorkflowHistory:
    """A history that `write_scene` kept."""
    history = WorkflowHistory.from_json("", file.read_text())
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)


def all_stored() -> list[Stored]:
    """Every recorded run of every version."""
    files = sorted(FOLDER.glob("*/*.expected.json"))
    return [Stored(file.parent.name, file.name.removesuffix(".expected.json")) for file in files]


async def folded(history: WorkflowHistory, converter: DataConverter = DataConverter.default) -> Result:
    """The Result that the history tells."""
    fold = Fold(converter)
    for event in history.events:
        await fold.feed(event)
    return result_of(fold.ledger, fold.segment_trace())
