"""What happens in a storm: made of a number, so that the number is all that it takes to have it again."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.storm.world import COST_USD, PLACES, Look

KINDS: Final = (
    "turn",
    "stop_turn",
    "stop",
    "decide",
    "hold",
    "release",
    "cancel",
    "forge",
    "swap",
    "reset",
)
_WEIGHTS: Final = {"turn": 6, "decide": 8, "stop_turn": 2, "hold": 3, "release": 3, "swap": 2, "forge": 2}


_LOCAL: Final = 0.4

# What the workers keep: all they like, nothing, and so little that most ledgers do not fit.
_CACHES: Final[tuple[dict[str, int], ...]] = (
    {},
    {},
    {},
    {},
    {"cache_bytes": 0, "max_cached_workflows": 0},
    {"cache_bytes": 10_000},
)


@dataclass(frozen=True)
class WorkerPlan:
    """A worker: what the agent is there, when it has runs continue as new, what it keeps."""

    look: Look
    events: int | None
    caches: dict[str, int]


@dataclass(frozen=True)
class Blow:
    """One thing that happens."""

    kind: str
    number: int
    """Whatever has to be chosen when it happens is chosen by it."""
    text: str = ""
    place: str = ""
    workers: tuple[WorkerPlan, ...] = ()
    """Those that take the place of the ones at work."""
    waits: int = 0
    """For so many things that agents do, if they do any."""
    beside: bool = False
    """The next one does not wait until it is done."""


@dataclass(frozen=True)
class Storm:
    """Everything that is decided beforehand."""

    seed: int
    blows: tuple[Blow, ...]
    workers: tuple[WorkerPlan, ...]

    @property
    def local(self) -> bool:
        """The tool `add` runs as a local activity, where it is not gated."""
        return Random(f"local {self.seed}").random() < _LOCAL


def storm(seed: int, kinds: tuple[str, ...] = KINDS) -> Storm:
    """The storm of that number."""
    random = Random(seed)
    weights = [_WEIGHTS.get(kind, 1) for kind in kinds]
    chosen = ["turn", *random.choices(kinds, weights, k=random.randint(3, 12))]
    workers = _workers(random) if "swap" in kinds else (WorkerPlan(Look(), _events(random), {}),)
    blows = tuple(_blow(random, kind, number) for number, kind in enumerate(chosen))
    return Storm(seed, blows, workers)


def _blow(random: Random, kind: str, number: int) -> Blow:
    return Blow(
        kind,
        random.getrandbits(32),
        text=_text(random, f"T{number}"),
        place=random.choice(PLACES),
        workers=_workers(random),
        waits=random.choice([0, 0, 1, 2, 3, 5]),
        beside=random.random() < 0.4,
    )


def _text(random: Random, word: str) -> str:
    steps = [_calls(random) for _ in range(random.choice([0, 1, 1, 2]))]
    return f"{word} {' | '.join(steps)}".strip()


def _calls(random: Random) -> str:
    calls = random.choices(["add", "pay", "ask", "helper"], [4, 3, 1, 2], k=random.choice([1, 1, 1, 2, 3]))
    below = [",".join(random.choices(["add", "pay"], k=random.choice([0, 1, 2]))) for _ in calls]
    return " ".join(f"helper:{orders}" if call == "helper" else call for call, orders in zip(calls, below, strict=True))


def _workers(random: Random) -> tuple[WorkerPlan, ...]:
    """One, or two that differ, at work at the same time."""
    return tuple(
        WorkerPlan(_look(random), _events(random), random.choice(_CACHES))
        for _ in range(random.choice([1, 1, 1, 1, 2]))
    )


def _look(random: Random) -> Look:
    return Look(
        gated=frozenset(name for name in ("add", "pay") if random.random() < (0.2 if name == "add" else 0.8)),
        missing=frozenset(name for name in ("add", "pay", "helper") if random.random() < 0.1),
        helper_is_an_agent=random.random() < 0.8,
        hooks=frozenset(hook for hook in ("run_start", "run_end") if random.random() < 0.6),
        parallel=random.random() < 0.7,
        max_steps=random.choice([None, None, random.randint(1, 9)]),
        max_cost_usd=random.choice([None, None, random.randint(1, 9) * COST_USD]),
    )


def _events(random: Random) -> int | None:
    return random.choice([None, None, 1, random.randint(2, 60)])
