"""What the fault tests found, in figures, printed at the end of a test run."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

PROPERTY: Final = "fault"
AS_ITS_TEST: Final = "as its test"
"""The verdict on a fault is that of the test which injects it: right, if it passes."""


@dataclass(frozen=True)
class Fault:
    """One injected fault and what came of it, in a form that a test report carries between processes."""

    kind: str
    verdict: str
    recovery_s: float | None = None

    def as_text(self) -> str:
        return f"{self.kind}|{self.verdict}|{'' if self.recovery_s is None else self.recovery_s}"

    @classmethod
    def of(cls, text: str) -> "Fault":
        kind, verdict, recovery = text.split("|")
        return cls(kind, verdict, float(recovery) if recovery else None)


def faults_in(properties: Iterable[tuple[str, object]], *, passed: bool) -> list[Fault]:
    """The faults that a test's report carries."""
    found = [Fault.of(str(value)) for name, value in properties if name == PROPERTY]
    verdict = "right" if passed else "wrong"
    return [replace(each, verdict=verdict) if each.verdict == AS_ITS_TEST else each for each in found]


def summary(faults: Iterable[Fault]) -> list[str]:
    """The lines of the report: one for each kind of fault, one for all."""
    by_kind = dict[str, list[Fault]]()
    for fault in faults:
        by_kind.setdefault(fault.kind, []).append(fault)
    lines = [_line(kind, found) for kind, found in sorted(by_kind.items())]
    return [*lines, _line("all", [fault for found in by_kind.values() for fault in found])]


def _line(kind: str, faults: list[Fault]) -> str:
    verdicts = Counter(fault.verdict for fault in faults)
    injected = len(faults) - verdicts["not reached"]
    recoveries_s = [fault.recovery_s for fault in faults if fault.recovery_s is not None]
    recovered = (
        f"recovery p50 {statistics.median(recoveries_s):.1f} s, max {max(recoveries_s):.1f} s" if recoveries_s else ""
    )
    figures = ", ".join(f"{verdict} {verdicts[verdict]}" for verdict in ("wrong", "doubled", "wedged", "not reached"))
    return f"{kind}: {injected} faults injected, {figures}; {recovered}".rstrip("; ")
