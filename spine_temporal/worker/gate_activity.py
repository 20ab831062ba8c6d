"""The activity by which a worker looks whether it can go on with what others began."""

from temporalio import activity
from temporalio.common import RawValue

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.contracts import names
from spine_temporal.contracts.gate import GateRequest
from spine_temporal.payloads import pack, unpack


class GateActivity:
    """The activity `spine.check_version` of a worker with these agents."""

    def __init__(self, agents: AgentRegistry) -> None:
        self._agents = agents

    @activity.defn(name=names.GATE_ACTIVITY)
    async def run(self, value: RawValue) -> RawValue:
        """Look at everything; what speaks against this version is in the report."""
        # It starts a worker of its own, which registers this activity; and few workers are ever asked.
        from spine_temporal.worker.gate import gate

        histories = unpack(GateRequest, value).histories
        report = await gate(
            activity.client(), self._agents, activity.info().task_queue, histories=histories, beat=activity.heartbeat
        )
        return pack(report)
