"""A ledger, or the workflow's part of it, as JSON, for the execution that goes on with it."""

from typing import Any, Final

from pydantic import TypeAdapter

from spine_temporal.contracts.json_form import json_bytes, json_form
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.replacing import replace

_LEDGER: Final = TypeAdapter(Ledger)
_PROGRESS: Final = TypeAdapter(Progress)


def dump_ledger(ledger: Ledger) -> bytes:
    """All that is known of a run."""
    return json_bytes(_LEDGER.dump_python(ledger, exclude_defaults=True))


def load_ledger(data: bytes) -> Ledger:
    """The ledger that `dump_ledger` wrote.

    Raises:
        pydantic.ValidationError: `data` is nothing that it wrote.
    """
    return _LEDGER.validate_json(data)


def dump_progress(progress: Progress) -> dict[str, Any]:
    """The workflow's part, as JSON has it."""
    # In two passes: in one, a dataclass cannot ask for NaN to be kept.
    written: dict[str, Any] = json_form(_PROGRESS.dump_python(progress, exclude_defaults=True))
    return written


def dump_carried(progress: Progress) -> dict[str, Any]:
    """The workflow's part without the texts that the restored conversation brings with it: they may be large."""
    spec = progress.spec.model_copy(update={"system": None}) if progress.spec is not None else None
    ending = progress.ending.model_copy(update={"answer": None}) if progress.ending is not None else None
    return dump_progress(replace(progress, spec=spec, last_text=None, answer=None, ending=ending))


def load_progress(data: dict[str, Any]) -> Progress:
    """What `dump_progress`, or `dump_carried`, wrote.

    Raises:
        pydantic.ValidationError: `data` is nothing that it wrote.
    """
    return _PROGRESS.validate_python(data)
