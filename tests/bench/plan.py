"""What is measured, how often."""

from dataclasses import dataclass
from typing import Final

from tests.bench import job


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of one repeat, with what is compared."""

    runs: tuple[int, ...]
    """Their lengths in steps, in order. The length that ratios are taken at comes more than once."""
    at: int
    """The length that ratios are taken at."""
    flat: tuple[int, int]
    """The lengths whose cost per step is compared."""
    repeats: int
    readings: int = 9
    """How often a history is replayed, folded."""
    size: int = job.RESULT_BYTES
    long_steps: int = 5000
    """The length of the run that is held against the kernel's."""
    chatty_turns: int = 400
    """Of the session whose conversation exceeds `cache_bytes`; 0: the cache's memory is not measured."""
    cached_sessions: int = 1000
    """How many exceed it together."""
    short_runs: tuple[int, int] = (1_000, 10_000)
    """After how many a worker is looked at first, and how many there are; 0: there are none."""
    large_pieces: int = 30
    """How many MB of text a conversation has that is reopened."""
    sessions: int = 1000
    """How many wait for an approval at once."""
    beside: tuple[int, int] = (50, 10)
    """How many runs are side by side, of how many steps."""
    beside_repeats: int = 6
    queued: int = 1000
    """Runs of one tenant behind which another one asks."""
    watchers: int = 200
    """How many watch one run."""
    starts: int = 7
    """How often workers are started."""
    ours: bool = True
    """What a run of ours costs, against the targets."""
    peers: bool = True
    """The same job on other integrations."""
    peer_lengths: tuple[int, ...] = (50, 200)
    peer_sizes: tuple[int, ...] = (200, job.RESULT_BYTES)
    peer_repeats: int = 3
    peer_readings: int = 3
    """How often a history of theirs is replayed."""
    hooked: bool = False
    """The agent has a middleware on the hooks of model and tool."""

    @property
    def lengths(self) -> list[int]:
        """Every length once, sorted."""
        return sorted(set(self.runs))


FULL: Final = Plan(runs=(200, 50, 100, 200, 500, 200, 1000), at=200, flat=(100, 1000), repeats=3)
QUICK: Final = Plan(
    runs=(50, 100),
    at=100,
    flat=(50, 100),
    repeats=1,
    readings=3,
    long_steps=400,
    chatty_turns=0,
    short_runs=(0, 0),
    large_pieces=2,
    sessions=100,
    beside_repeats=2,
    queued=100,
    starts=3,
    peers=False,
    peer_lengths=(50,),
    peer_repeats=1,
    peer_readings=1,
)
