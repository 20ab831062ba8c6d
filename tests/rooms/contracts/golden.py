"""The golden files: one wire model each, as a history of some version holds it.

They are never edited. `StepOutcome.json` is the first; a field that a later version adds comes in a further file,
`StepOutcome.2.json`, so that what older versions wrote stays covered.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Final

from spine_temporal import contracts
from spine_temporal.contracts.base import WireModel

FOLDER: Final = Path(__file__).parent / "golden"
FILES: Final = sorted(FOLDER.glob("*.json"))


def model_of(file: Path) -> type[WireModel]:
    """The model that a golden file holds."""
    return next(model for model in wire_models() if model.__name__ == file.name.partition(".")[0])


def wire_models() -> list[type[WireModel]]:
    """Every model in contracts, by name; one that lives elsewhere only reads a part of these."""
    for module in pkgutil.iter_modules(contracts.__path__, f"{contracts.__name__}."):
        importlib.import_module(module.name)
    return sorted(_below(WireModel), key=lambda model: model.__name__)


def _below(model: type[WireModel]) -> set[type[WireModel]]:
    ours = {child for child in model.__subclasses__() if child.__module__.startswith("spine_temporal.contracts.")}
    return ours.union(*(_below(child) for child in ours))
