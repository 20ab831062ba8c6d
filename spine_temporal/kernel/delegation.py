"""How deep the kernel's agents are nested, in the counter that `Agent.as_tool` uses."""

from contextvars import ContextVar
from typing import Final

from spine_core import agent

DEPTH: Final[ContextVar[int]] = agent._DELEGATION_DEPTH  # noqa: SLF001
