"""A worker's workflow that cannot go on with any run, as one of another version may be."""

from typing import Any

from temporalio import workflow

from spine_temporal.contracts import names


@workflow.defn(name=names.AGENT_WORKFLOW, sandboxed=False)
class Incompatible:
    """Fails each of its workflow tasks."""

    @workflow.run
    async def run(self, _request: dict[str, Any]) -> None:
        raise RuntimeError("a version that cannot read this")
