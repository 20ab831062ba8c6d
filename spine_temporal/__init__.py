"""SpineKit agents that survive: they run durably on Temporal.

The names below load on first touch. Importing this package imports neither temporalio nor the kernel: the workflow
sandbox imports it anew for every run.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from spine_temporal.agents.durable_options import durable
    from spine_temporal.agents.idempotency import idempotency_key
    from spine_temporal.agents.teams import Handoff
    from spine_temporal.checkpoint.store import TemporalCheckpoint
    from spine_temporal.client.agent import DurableAgent
    from spine_temporal.client.recording import recording
    from spine_temporal.client.run import Run
    from spine_temporal.contracts.approval import Decision
    from spine_temporal.contracts.policies import ActivityPolicy, ContinuePolicy
    from spine_temporal.contracts.run_end import RunOutcome
    from spine_temporal.errors import SpineTemporalError
    from spine_temporal.worker.plugin import SpinePlugin
    from spine_temporal.worker.worker import AgentWorker

_HOME: Final = {
    "ActivityPolicy": "spine_temporal.contracts.policies",
    "AgentWorker": "spine_temporal.worker.worker",
    "ContinuePolicy": "spine_temporal.contracts.policies",
    "Decision": "spine_temporal.contracts.approval",
    "DurableAgent": "spine_temporal.client.agent",
    "Handoff": "spine_temporal.agents.teams",
    "Run": "spine_temporal.client.run",
    "RunOutcome": "spine_temporal.contracts.run_end",
    "SpinePlugin": "spine_temporal.worker.plugin",
    "SpineTemporalError": "spine_temporal.errors",
    "TemporalCheckpoint": "spine_temporal.checkpoint.store",
    "durable": "spine_temporal.agents.durable_options",
    "idempotency_key": "spine_temporal.agents.idempotency",
    "recording": "spine_temporal.client.recording",
}

__version__ = "0.1.0"

__all__ = [
    "ActivityPolicy",
    "AgentWorker",
    "ContinuePolicy",
    "Decision",
    "DurableAgent",
    "Handoff",
    "Run",
    "RunOutcome",
    "SpinePlugin",
    "SpineTemporalError",
    "TemporalCheckpoint",
    "durable",
    "idempotency_key",
    "recording",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'spine_temporal' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
