"""What was measured of the job on other integrations, raw."""

from dataclasses import dataclass, field

from tests.bench.running import Measured
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import OWN, PEERS, Peer, Side


def of_run(steps: int, size: int) -> str:
    """The name of a job: one run."""
    return f"a run of {steps:,} steps, results of {size:,} bytes"


def of_many(runs: int, steps: int, size: int) -> str:
    """The name of a job: many runs at once."""
    return f"{runs:,} runs of {steps:,} steps at once, results of {size:,} bytes"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A job that had no answer; that side does not try it again."""

    side: Side | Peer
    what: str
    reason: str


@dataclass(slots=True)
class PeerFindings:
    """The runs of all sides; the nth of every side at one length and size were taken one after the other."""

    runs: list[Measured] = field(default_factory=list)
    beside: list[SideBySide] = field(default_factory=list)
    start_s: dict[Side | Peer, list[float]] = field(default_factory=dict)
    """From the start of a worker's process until the server has been asked for work."""
    replay_s: dict[Side | Peer, list[float]] = field(default_factory=dict)
    """Of the last run of `replayed`."""
    replayed: tuple[int, int] = (0, 0)
    """Steps and bytes of the runs that were replayed."""
    memory_bytes: dict[Side | Peer, int] = field(default_factory=dict)
    """The most that a side's worker held."""
    unfinished: list[Unfinished] = field(default_factory=list)
    absent: dict[Peer, str] = field(default_factory=dict)
    """Peers that took no part, with the reason: they cannot be installed, or do not do five steps."""
    versions: dict[Peer, dict[str, str]] = field(default_factory=dict)

    @property
    def sides(self) -> list[Side | Peer]:
        """Who took part, in the order of the table."""
        return [*OWN, *(peer for peer in PEERS if peer in self.versions)]

    def runs_of(self, side: Side | Peer, steps: int, size: int) -> list[Measured]:
        """The runs of that side, length and size, in order."""
        return [run for run in self.runs if (run.side, run.steps, run.size) == (side, steps, size)]

    def beside_of(self, side: Side | Peer) -> list[SideBySide]:
        """The runs side by side of that side, in order."""
        return [each for each in self.beside if each.side == side]

    def reason(self, side: Side | Peer, what: str) -> str:
        """Why that side did not finish that job; empty when it did."""
        found = (each.reason for each in self.unfinished if (each.side, each.what) == (side, what))
        return next(found, "")
