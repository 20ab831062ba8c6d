"""For tests of agents: a real Temporal server, any agent durably in two lines."""

from spine_temporal.testing.agents import durable
from spine_temporal.testing.server import dev_server

__all__ = ["dev_server", "durable"]
