"""Where whoever follows a run begins to read; looked for once while somebody does."""

from dataclasses import dataclass
from weakref import WeakValueDictionary

from temporalio.client import Client

from spine_temporal.client.live_history import Joined, LiveHistory
from spine_temporal.errors import RunNotFound
from spine_temporal.history.folded import turn_run_id
from spine_temporal.history.follow import describe, first_event

type Known = WeakValueDictionary[str, LiveHistory]
"""The histories that are read from where they were found to begin, by the execution that this was found for."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where somebody begins to read."""

    run_id: str
    was_there: bool
    """It is the execution that was wanted."""
    sought: str
    latest: Joined
    """The latest execution and its last event; None: nobody looked."""
    known: Known

    async def join(self, live: LiveHistory) -> Joined:
        """Come in to the history that begins there; whoever comes after need not look for that.

        Raises what `LiveHistory.join` raises.
        """
        self.known[self.sought] = live
        return await live.join(self.latest)


class Starts:
    """Finds the execution to read from: the wanted one; else that in which the turn in hand began.

    `wanted` is its run id, and whether another one will do when it is gone. While somebody reads from there, nothing is
    asked but where the present is: of a history that is being read, what the server has deleted since is no loss.
    """

    def __init__(self, client: Client, workflow_id: str, wanted: tuple[str | None, bool]) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._wanted = wanted
        self._known: Known = WeakValueDictionary()

    async def __call__(self) -> Start:
        """Look where to begin.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
        """
        run_id, another_will_do = self._wanted
        if run_id is not None and (not another_will_do or await self._is_there(run_id)):
            return Start(run_id, was_there=True, sought=run_id, latest=None, known=self._known)
        info = (await describe(self._client, self._workflow_id)).workflow_execution_info
        latest = info.execution.run_id
        live = self._read(latest)
        began = live.start if live is not None else await turn_run_id(self._client, self._workflow_id, latest)
        return Start(began, was_there=False, sought=latest, latest=(latest, info.history_length), known=self._known)

    async def _is_there(self, run_id: str) -> bool:
        if self._read(run_id) is not None:
            return True
        try:
            await first_event(self._client, self._workflow_id, run_id)
        except RunNotFound:
            return False
        return True

    def _read(self, sought: str) -> LiveHistory | None:
        live = self._known.get(sought)
        return live if live is not None and live.followers and not live.over else None
