"""One thing that `spine-temporal doctor` looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came of looking at it."""

    OK = "ok"
    NOTE = "note"
    """It works, but whoever runs it should know."""
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    text: str
    fix: str = ""
    """What to do about it."""

    def to_json(self) -> dict[str, str]:
        """The finding for scripts."""
        return {"verdict": self.verdict, "what": self.what, "said": self.text, "fix": self.fix}
