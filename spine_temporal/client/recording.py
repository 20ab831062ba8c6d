"""A run as spine's `Replayer` takes it."""

from typing import Any

from spine_core import ModelResponse

from spine_temporal.client.run import Run
from spine_temporal.journal.calls import child_content, position_of
from spine_temporal.journal.entries import Entry, StepDone, SubagentDone, ToolDone


async def recording(run: Run) -> dict[str, Any]:
    """What the model and the tools of `run` said, for `spine_middleware.Replayer`.

    Give it to an agent of the plain kernel, `Agent(..., middleware=[Replayer(await recording(run))])`, and the run
    happens again without model and tools: pull it from production, replay it in a test. Of a session it is the turn
    that `run` stands for, else all turns that the server still keeps.

    Give that agent its tools ungated: the kernel runs an approved tool whatever a Replayer says. Children and expired
    or rejected calls are replayed as results of their calls.

    Raises:
        RunNotFound: there is no such run.
    """
    recorder = _Recorder()
    await run.journal(recorder.hear)
    return {"model": recorder.model, "tool": recorder.tools()}


class _Recorder:
    def __init__(self) -> None:
        self.model: list[dict[str, Any]] = []
        self._results: dict[tuple[int, int], Any] = {}

    def hear(self, entry: Entry) -> None:
        if isinstance(entry, StepDone) and entry.outcome.answered:
            said = [message for message in entry.outcome.delta.messages if message.role == "assistant"]
            response = ModelResponse(
                message=said[-1], usage=entry.outcome.usage, finish_reason=entry.outcome.finish_reason
            )
            self.model.append(response.model_dump(mode="json"))
        elif isinstance(entry, ToolDone) and entry.outcome.asks is None and entry.outcome.delegates is None:
            self._results[len(self.model), entry.index] = entry.outcome.content

        elif isinstance(entry, SubagentDone):
            _, index = position_of(entry.position)
            self._results[len(self.model), index] = child_content("", entry.outcome)

    def tools(self) -> list[Any]:
        return [self._results[key] for key in sorted(self._results)]
