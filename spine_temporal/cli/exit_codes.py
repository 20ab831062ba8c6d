"""The command's exit codes, which scripts may rely on."""

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """What the exit code of `spine-temporal` says."""

    DONE = 0
    NO_ANSWER = 1
    BAD_USAGE = 2
    PAUSED = 3
    NO_SUCH_RUN = 4
    NO_SERVER = 5
    BUG = 70
    CTRL_C = 130


MEANING: Final = {
    Exit.DONE: "done; of `run` or `resume`: the agent gave its final answer, or nobody reads on",
    Exit.NO_ANSWER: "the run ended without a final answer: an error, a guard, a stop; of `replay` or `gate`: "
    "something speaks against this version; of `drain`: some remain",
    Exit.BAD_USAGE: "bad usage, bad input, a refused decision, an unknown or broken agent, keys that are missing",
    Exit.PAUSED: "the run is paused and waits for a decision",
    Exit.NO_SUCH_RUN: "no such run",
    Exit.NO_SERVER: "no Temporal server answers",
    Exit.BUG: "a bug; stderr names the file with its traceback",
    Exit.CTRL_C: "Ctrl-C; a run that was started goes on",
}


def table() -> str:
    """All codes with their meaning, one per line."""
    return "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANING.items())


EPILOG: Final = f"""\b
Exit codes:
{table()}"""
