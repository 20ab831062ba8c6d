"""The tool calls of one step while their results come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.tool import ToolHead


@dataclass(frozen=True, slots=True)
class Batch:
    """Results enter the conversation in the order of the calls, as in the kernel, whatever order they arrive in.

    One after another, each call begins when the one before it has entered. Side by side, all begin at once and enter
    together.
    """

    calls: tuple[PlannedCall, ...]
    parallel: bool
    results: Mapping[int, ToolHead] = field(default_factory=dict)
    entered: int = 0

    def waiting(self) -> list[int]:
        """Indices of the calls that may run now and have no result."""
        stop = len(self.calls) if self.parallel else min(self.entered + 1, len(self.calls))
        return [index for index in range(self.entered, stop) if index not in self.results]

    def with_result(self, index: int, outcome: ToolHead) -> "Batch":
        """This batch with the result of one more call."""
        return replace(self, results={**self.results, index: outcome})

    def ready(self) -> list[int]:
        """Indices of the calls whose results may enter the conversation now."""
        stop = self.entered
        while stop in self.results:
            stop += 1
        if self.parallel and stop < len(self.calls):
            return []
        return list(range(self.entered, stop))

    @property
    def over(self) -> bool:
        """Every result has entered the conversation."""
        return self.entered == len(self.calls)
