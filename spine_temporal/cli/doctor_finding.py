"""One thing that `spine-temporal doctor` looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What came of looking at it."""

    OK = "ok"
    NOTE = "note"
    """It works, but whoever runs it should know."""
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    text: str
    fix: str = ""
    """What to do about it."""

    def to_json(self) -> dict[str, str]:
        """The finding for scripts."""
        return {"level": self.level, "what": self.what, "text": self.text, "fix": self.fix}
