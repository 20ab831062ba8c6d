"""The proof that no finished work was done again: the history held against the call log."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spine_temporal.demo.story.activity_log import MODEL, Deed
from spine_temporal.demo.story.calls import FAILED, FINISHED, KILLED, STARTED, Call

type _Key = tuple[str, int, str]
"""Activity, attempt, worker."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that two independent sources bear out, or not."""

    holds: bool
    text: str


def prove(deeds: Sequence[Deed], calls: Sequence[Call]) -> list[Claim]:
    """The claims of the story. `deeds` is what history records, `calls` what the processes wrote down themselves."""
    killed = [call for call in calls if call.event == KILLED]
    if not killed:
        return [
            Claim(
                holds=False, text="The run was over before a worker could be killed inside a step: nothing is proved."
            )
        ]
    return [_same_work(deeds, calls), _never_again(calls), _broken_off(calls, killed[0]), _taken_over(deeds, killed[0])]


def gap_s(deeds: Sequence[Deed], calls: Sequence[Call]) -> float | None:
    """Seconds from the kill to the start of the attempt that took over."""
    for killed in calls:
        for deed in deeds:
            if killed.event == KILLED and deed.id == killed.activity:
                return deed.began_s - killed.at_s
    return None


def _same_work(deeds: Sequence[Deed], calls: Sequence[Call]) -> Claim:
    recorded = Counter((deed.id, deed.attempt, deed.worker) for deed in deeds if deed.called)
    finished = Counter(_key(call) for call in calls if _is_end(call))
    same = "the same" if recorded == finished else "NOT the same"
    return Claim(
        recorded == finished,
        f"History records {recorded.total()} calls of the model and of tools as completed. The workers wrote down "
        f"{finished.total()} that they finished: {same}, each on the same worker in the same attempt.",
    )


def _never_again(calls: Sequence[Call]) -> Claim:
    done: set[str] = set()
    again = []
    for call in calls:
        if call.event == STARTED and call.activity in done:
            again.append(call.activity)
        if _is_end(call):
            done.add(call.activity)
    which = f": {', '.join(again)}" if again else ""
    return Claim(not again, f"{len(again) or 'None'} of them was started again after it had finished{which}.")


def _broken_off(calls: Sequence[Call], killed: Call) -> Claim:
    begun = Counter(_key(call) for call in calls if call.event == STARTED)
    ended = Counter(_key(call) for call in calls if call.event in (FINISHED, FAILED))
    broken = list((begun - ended).elements())
    return Claim(
        broken == [_key(killed)],
        f"{len(broken)} call was started and never finished: step {killed.activity} on {killed.worker}, "
        "which was killed in it.",
    )


def _taken_over(deeds: Sequence[Deed], killed: Call) -> Claim:
    deed = next((deed for deed in deeds if deed.id == killed.activity), None)
    if deed is None:
        return Claim(holds=False, text=f"History does not record step {killed.activity} as completed.")
    holds = deed.attempt > killed.attempt and deed.worker != killed.worker and deed.heartbeat_missed
    return Claim(
        holds,
        f"History says of step {deed.id}: attempt {deed.attempt - 1} ended with “{deed.last_failure}”, "
        f"attempt {deed.attempt} completed on {deed.worker}.",
    )


def _is_end(call: Call) -> bool:
    # A tool that raises has done its work, the model is told; a model call that fails is tried again.
    return call.event == FINISHED or (call.event == FAILED and call.name != MODEL)


def _key(call: Call) -> _Key:
    return call.activity, call.attempt, call.worker
