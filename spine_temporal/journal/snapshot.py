"""A ledger, or the workflow's part of it, as JSON, for the execution that goes on with it.

Each class in it is a dataclass or a model, and so an object in JSON: what a later version adds to it is passed over, at
every depth. A named tuple would be an array, which cannot grow.
"""

import functools
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from spine_core import Message

from spine_temporal.contracts.base import RECORDED
from spine_temporal.contracts.json_form import json_bytes, json_form
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.replacing import replace


@functools.cache
def _form[T](type_: type[T]) -> TypeAdapter[T]:
    # Built when the first conversation goes on elsewhere: a quarter of what importing this package would take.
    return TypeAdapter(type_)


def dump_ledger(ledger: Ledger) -> bytes:
    """All that is known of a run."""
    return json_bytes(_form(Ledger).dump_python(ledger, exclude_defaults=True))


def load_ledger(data: bytes) -> Ledger:
    """The ledger that `dump_ledger` wrote.

    Raises:
        pydantic.ValidationError: `data` is nothing that it wrote.
    """
    read: Ledger = _form(Ledger).validate_json(data, context=RECORDED)
    progress, messages = read.progress, read.state.messages
    # JSON has them twice; they may be large, and are kept for as long as the run.
    last_text, answer = _shared(progress.last_text, messages), _shared(progress.answer, messages)
    return replace(read, progress=replace(progress, last_text=last_text, answer=answer))


def _shared(text: str | None, messages: Sequence[Message]) -> str | None:
    """The text, which mostly is that of one of the last messages, as it stands there."""
    return next((message.content for message in reversed(messages) if message.content == text), text)


def dump_progress(progress: Progress) -> dict[str, Any]:
    """The workflow's part, as JSON has it."""
    # In two passes: in one, a dataclass cannot ask for NaN to be kept.
    written: dict[str, Any] = json_form(_form(Progress).dump_python(progress, exclude_defaults=True))
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
    read: Progress = _form(Progress).validate_python(data, context=RECORDED)
    return read
