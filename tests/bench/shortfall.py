"""What tables and the plot call a job that was not finished; no Temporal here."""

from typing import Final

# "Workflow history size exceeds limit.", "Workflow history count exceeds limit.", by the server that ends the run.
_LIMIT: Final = ("history", "exceeds limit")


def shortfall(reason: str) -> str:
    """Two words for the reason."""
    return "history limit" if all(part in reason for part in _LIMIT) else "not finished"
