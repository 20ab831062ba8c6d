"""The waiting: the only code that uses `temporalio.workflow`."""

from spine_temporal.workflow.run_agent import run_agent

__all__ = ["run_agent"]
