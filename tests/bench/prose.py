"""Text as conversations have it, no two alike, the same in each run of the benchmark."""

import random
from typing import Final

_SYLLABLES: Final = ("ba", "co", "di", "fe", "gu", "ha", "lo", "mi", "ne", "pra", "ru", "stel", "ti", "ver", "za")
_WORDS: Final = 2_000
_PAGE_WORDS: Final = 3_000
# Models write dashes, quotes and an emoji here and there; Python then keeps two or four bytes for each letter.
_MARKS: Final = ("\u2014", "\u2019tis", "\u2192", "\N{ROCKET}")


def _page() -> str:
    choose = random.Random(1)
    words = ["".join(choose.choices(_SYLLABLES, k=choose.randint(1, 4))) for _ in range(_WORDS)]
    return " ".join(choose.choices(words, k=_PAGE_WORDS))


_PAGE: Final = _page()


def prose(letters: int, number: int, *, marked: bool = False) -> str:
    """So many letters; `number` tells one text from another; `marked`: some of them are not ASCII."""
    begun = f"{number} {_MARKS[number % len(_MARKS)] if marked else ''} "
    at = number * 7919 % len(_PAGE)
    page = _PAGE[at:] + " " + _PAGE[:at]
    return (begun + page * (letters // len(page) + 1))[:letters]
