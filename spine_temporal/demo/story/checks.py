"""The proof that no finished work was done again: the history held against the call log."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spine_temporal.demo.story.activity_log import MODEL, CompletedActivity
from spine_temporal.demo.story.calls import FAILED, FINISHED, KILLED, STARTED, Call

type _Key = tuple[str, int, str]
"""Activity, attempt, worker."""


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence that two independent sources bear out, or not."""

    holds: bool
    text: str


def prove(completed: Sequence[CompletedActivity], calls: Sequence[Call]) -> list[Check]:
    """What the story proves. `completed` is what history records, `calls` what the processes wrote down themselves."""
    killed = [call for call in calls if call.event == KILLED]
    if not killed:
        return [
            Check(
                holds=False, text="The run was over before a worker could be killed inside a step: nothing is proved."
            )
        ]
    return [
        _same_work(completed, calls),
        _never_again(calls),
        _broken_off(calls, killed[0]),
        _taken_over(completed, killed[0]),
    ]


def gap_s(completed: Sequence[CompletedActivity], calls: Sequence[Call]) -> float | None:
    """Seconds from the kill to the start of the attempt that took over."""
    for killed in calls:
        for done in completed:
            if killed.event == KILLED and done.id == killed.activity:
                return done.began_s - killed.at_s
    return None


def _same_work(completed: Sequence[CompletedActivity], calls: Sequence[Call]) -> Check:
    recorded = Counter((done.id, done.attempt, done.worker) for done in completed if done.called)
    finished = Counter(_key(call) for call in calls if _is_end(call))
    same = "the same" if recorded == finished else "NOT the same"
    return Check(
        recorded == finished,
        f"History records {recorded.total()} calls of the model and of tools as completed. The workers wrote down "
        f"{finished.total()} that they finished: {same}, each on the same worker in the same attempt.",
    )


def _never_again(calls: Sequence[Call]) -> Check:
    done: set[str] = set()
    again = []
    for call in calls:
        if call.event == STARTED and call.activity in done:
            again.append(call.activity)
        if _is_end(call):
            done.add(call.activity)
    which = f": {', '.join(again)}" if again else ""
    return Check(not again, f"{len(again) or 'None'} of them was started again after it had finished{which}.")


def _broken_off(calls: Sequence[Call], killed: Call) -> Check:
    started = Counter(_key(call) for call in calls if call.event == STARTED)
    ended = Counter(_key(call) for call in calls if call.event in (FINISHED, FAILED))
    broken = list((started - ended).elements())
    return Check(
        broken == [_key(killed)],
        f"{len(broken)} call was started and never finished: step {killed.activity} on {killed.worker}, "
        "which was killed in it.",
    )


def _taken_over(completed: Sequence[CompletedActivity], killed: Call) -> Check:
    done = next((done for done in completed if done.id == killed.activity), None)
    if done is None:
        return Check(holds=False, text=f"History does not record step {killed.activity} as completed.")
    holds = done.attempt > killed.attempt and done.worker != killed.worker and done.heartbeat_missed
    return Check(
        holds,
        f"History says of step {done.id}: attempt {done.attempt - 1} ended with “{done.last_failure}”, "
        f"attempt {done.attempt} completed on {done.worker}.",
    )


def _is_end(call: Call) -> bool:
    # A tool that raises has done its work, the model gets its error; a model call that fails is tried again.
    return call.event == FINISHED or (call.event == FAILED and call.name != MODEL)


def _key(call: Call) -> _Key:
    return call.activity, call.attempt, call.worker
