"""What every answer about runs is: a frozen model that can be written as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class ReadModel(BaseModel):
    """Base of what the command line, a console or a gateway shows of runs. None of it is ever in a history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """The model for scripts: times as ISO 8601, durations in seconds, sizes in bytes."""
        return self.model_dump(mode="json")
