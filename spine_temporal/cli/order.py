"""What was typed to have an agent work."""

from dataclasses import dataclass
from typing import cast

from temporalio.client import Client

from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.run import Run
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import OnTimeout
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.errors import BadInput


@dataclass(frozen=True, slots=True)
class Order:
    """An agent, what it is told, how."""

    agent: str
    input: str
    session: str | None = None
    task_queue: str = names.DEFAULT_TASK_QUEUE
    on_busy: str = "queue"
    approval_timeout_s: float | None = None
    on_timeout: str | None = None

    async def place(self, client: Client) -> Run:
        """Start the run, or the session's next turn.

        Raises what `DurableAgent.start` raises.
        """
        if self.on_timeout is not None and self.approval_timeout_s is None:
            raise BadInput(
                f"--on-timeout {self.on_timeout} says what becomes of a call that nobody decides in time; "
                "--approval-timeout SECONDS says in what time"
            )
        if self.approval_timeout_s is not None and not self.approval_timeout_s > 0:
            raise BadInput(f"--approval-timeout is {self.approval_timeout_s:g}; it is a number of seconds above 0")
        durable = DurableAgent(
            self.agent,
            client,
            task_queue=self.task_queue,
            approval_timeout_s=self.approval_timeout_s,
            on_timeout=cast("OnTimeout", self.on_timeout or "reject"),
        )
        return await durable.start(self.input, session_id=self.session, on_busy=cast("OnBusy", self.on_busy))
