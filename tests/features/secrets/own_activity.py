"""A workflow and an activity that a user has beside their agents."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy


@activity.defn
async def shout(text: str) -> str:
    """Shout."""
    return text.upper()


@workflow.defn
class Shouting:
    """Has it shouted on another task queue, once."""

    @workflow.run
    async def run(self, task_queue: str) -> str:
        """The workflow."""
        return await workflow.execute_activity(
            shout,
            "otter",
            task_queue=task_queue,
            start_to_close_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
