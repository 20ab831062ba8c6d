"""What happens in a storm: made of a number, so that the number is all that it takes to have it again."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.storm.world import PLACES, Look

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


@dataclass(frozen=True)
class Blow:
    """One thing that happens."""

    kind: str
    number: int
    """Whatever has to be chosen when it happens is chosen by it."""
    text: str = ""
    place: str = ""
    look: Look = field(default_factory=Look)
    events: int | None = None
    waits: int = 0
    """For so many things that agents do, if they do any."""
    beside: bool = False
    """The next one does not wait until it is done."""


@dataclass(frozen=True)
class Storm:
    """Everything that is decided beforehand."""

    seed: int
    blows: tuple[Blow, ...]
    look: Look
    events: int | None


def storm(seed: int, kinds: tuple[str, ...] = KINDS) -> Storm:
    """The storm of that number."""
    random = Random(seed)
    weights = [_WEIGHTS.get(kind, 1) for kind in kinds]
    chosen = ["turn", *random.choices(kinds, weights, k=random.randint(3, 12))]
    look = _look(random) if "swap" in kinds else Look()
    blows = tuple(_blow(random, kind, number) for number, kind in enumerate(chosen))
    return Storm(seed, blows, look, _events(random))


def _blow(random: Random, kind: str, number: int) -> Blow:
    return Blow(
        kind,
        random.getrandbits(32),
        text=_text(random, f"T{number}"),
        place=random.choice(PLACES),
        look=_look(random),
        events=_events(random),
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


def _look(random: Random) -> Look:
    return Look(
        gated=frozenset(name for name in ("add", "pay") if random.random() < (0.2 if name == "add" else 0.8)),
        missing=frozenset(name for name in ("add", "pay", "helper") if random.random() < 0.1),
        helper_is_an_agent=random.random() < 0.8,
        hooks=frozenset(hook for hook in ("run_start", "run_end") if random.random() < 0.6),
        parallel=random.random() < 0.7,
    )


def _events(random: Random) -> int | None:
    return random.choice([None, None, 1, random.randint(2, 60)])
