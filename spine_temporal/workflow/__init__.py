"""The waiting: the only code that uses `temporalio.workflow`."""

from spine_temporal.workflow.child import run_agent

__all__ = ["run_agent"]
