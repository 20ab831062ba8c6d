"""What was typed, or given on stdin, as text."""

import sys
from collections.abc import Iterable

from spine_temporal.errors import BadInput


def input_text(given: str) -> str:
    """What the user says: `given`, or for - what stdin holds.

    Raises:
        BadInput: it is no text.
    """
    if given != "-":
        return given
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as error:
        raise BadInput(f"what stdin holds is not valid {error.encoding.upper()}; nothing was sent") from None
    check_text([text])
    return text


def check_text(arguments: Iterable[str]) -> None:
    """Look whether the arguments are text.

    Raises:
        BadInput: one of them is none: nothing that is sent to a server could hold it.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{argument!r} is not valid UTF-8; nothing was sent") from None
