"""A run as spine's `Replayer` takes it."""

from typing import Any

from spine_core import ModelResponse, State

from spine_temporal.client.run import Run
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal.entries import Entry, StepDone, SubagentDone, ToolDone
from spine_temporal.journal.subagents import subagent_content


async def recording(run: Run) -> dict[str, Any]:
    """What the model and the tools of `run` answered, for `spine_middleware.Replayer`.

    Give it to an agent of the plain kernel, `Agent(..., middleware=[Replayer(await recording(run))])`, and the run
    happens again without model and tools: pull it from production, replay it in a test. Of a session it is the turn
    that `run` stands for, else all turns that the server still keeps.

    Give that agent its tools ungated: the kernel runs an approved tool whatever a Replayer says. Children and expired
    or rejected calls are replayed as results of their calls.

    Raises:
        RunNotFound: there is no such run.
    """
    recorder = _Recorder()
    await run.entries(recorder.on_entry)
    return {"model": recorder.model, "tool": recorder.tools()}


class _Recorder:
    def __init__(self) -> None:
        self.model: list[dict[str, Any]] = []
        self._results: dict[tuple[int, int], Any] = {}

    def on_entry(self, entry: Entry, state: State) -> None:
        match entry:
            case StepDone(StepOutcome() as outcome) if outcome.answered:
                # Whatever hooks made of the conversation before, the answer is its end.
                answer = state.messages[-1]
                response = ModelResponse(message=answer, usage=outcome.usage, finish_reason=outcome.finish_reason)
                self.model.append(response.model_dump(mode="json"))
            case ToolDone(_, index, ToolOutcome() as outcome) if outcome.asks is None and outcome.delegates is None:
                self._results[len(self.model), index] = outcome.content
            case SubagentDone(position, ended):
                self._results[len(self.model), position.index] = subagent_content("", ended)

    def tools(self) -> list[Any]:
        return [self._results[key] for key in sorted(self._results)]
