"""How a run stopped, for whoever waited for it."""

from dataclasses import dataclass, field

from spine_core import Result

from spine_temporal.cli.asked import told, ways
from spine_temporal.cli.exits import Exit
from spine_temporal.cli.failing import say_error
from spine_temporal.cli.screen import say, stderr, write
from spine_temporal.cli.server import Server
from spine_temporal.client.approvals import Approval
from spine_temporal.client.run import Run
from spine_temporal.format import duration, many, spent


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run's Result; when it is paused, also what it waits for."""

    result: Result
    pending: list[Approval] = field(default_factory=list)

    def tell(self, server: Server, *, json: bool, live: bool) -> Exit:
        """Print the answer; on stderr how it came, if somebody watches or it is not as it should be."""
        result = self.result
        if json:
            write(result.model_dump_json())
        elif result.answer is not None:
            if live:
                stderr().print()
            write(result.answer)
        if live:
            stderr().print(f"\n{_facts(result)}", style="dim")
        if result.ok:
            return Exit.DONE
        session = result.state.session_id
        if result.interrupted:
            self._tell_pause(server, str(result.resume_token or session))
            return Exit.PAUSED
        why = result.stopped_reason.value + (f": {result.error}" if result.error else "")
        way = server.command("show", session)
        say_error(f"run {session} ended without a final answer, {why}; `{way}` tells how")
        return Exit.NO_ANSWER

    def _tell_pause(self, server: Server, run: str) -> None:
        if not self.pending:
            say("paused", f"run {run} waited for a decision; by now somebody has decided", "yellow")
            return
        say("paused", f"run {run} waits for a decision", "yellow")
        for approval, way in zip(self.pending, ways(server, self.pending, run), strict=True):
            stderr().print(f"  {told(approval, run)}\n    {way}", markup=False, soft_wrap=True)


async def stopped(run: Run, result: Result) -> Stopped:
    """The Result, with what the run waits for."""
    return Stopped(result, await run.pending() if result.interrupted else [])


def tell_it_goes_on(server: Server, run: str) -> None:
    """Say to who no longer waits where the run can be found."""
    show, stop = server.command("show", run), server.command("stop", run)
    text = f"\nThe run goes on. See it with `{show}`,\nend it with `{stop}`."
    stderr().print(text, markup=False, soft_wrap=True)


def _facts(result: Result) -> str:
    took_s = result.trace[-1].ts - result.trace[0].ts if result.trace else 0.0
    return " · ".join(
        [many(result.state.step, "step"), spent(result.usage.total_tokens, result.usage.cost_usd), duration(took_s)]
    )
