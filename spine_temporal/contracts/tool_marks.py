"""Attributes of a tool's function, by which a worker recognises what the tool does."""

from typing import Final

REMOTE_AGENT: Final = "__spine_temporal_agent__"
TRANSFERS_TO: Final = "__spine_temporal_transfers_to__"
