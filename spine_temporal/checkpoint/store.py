"""The store `TemporalCheckpoint`."""

from typing import Final

from spine_core import State, register_checkpoint
from temporalio.client import Client

from spine_temporal.checkpoint.cache import Recent
from spine_temporal.checkpoint.delete import delete
from spine_temporal.checkpoint.read import read, read_put
from spine_temporal.checkpoint.session import Place, Stored
from spine_temporal.checkpoint.tombstone import reaching
from spine_temporal.checkpoint.write import Writer
from spine_temporal.connection.connect import connect
from spine_temporal.contracts import names
from spine_temporal.contracts.json_form import readable
from spine_temporal.given import check_bytes, check_name

DEFAULT_CACHE_BYTES: Final = 64 * 1024 * 1024


class TemporalCheckpoint:
    """Keeps the sessions of ordinary spine agents on a Temporal server, and finds those of durable runs.

    Give it to an agent, `Agent(..., checkpoint=TemporalCheckpoint(client))`, or write `checkpoint = "temporal"` into
    spine.toml. A put records what changed since the one before it, in one signal: a session costs its own texts.
    No worker is needed. Without a `client` it connects on first use to the server that Temporal's own settings name.

    Several processes may use one session: the last put wins. It works with `run_sync`, and from several threads.

    Each session is an open workflow `spine.checkpoint` on `task_queue`, which by default nobody polls: a worker would
    get every put, and has nothing to do about it. `workflow_id_prefix` is the one that the durable runs have.
    `cache_bytes` bounds the memory for the States put or got last; with 0, each put reads the session first.

    Raises:
        BadInput: one of them is not what it should be.
    """

    holds_durable_runs: Final = True
    """A worker whose agent has this store need not write its sessions there."""

    def __init__(
        self,
        client: Client | None = None,
        *,
        task_queue: str = names.CHECKPOINT_TASK_QUEUE,
        workflow_id_prefix: str = names.WORKFLOW_ID_PREFIX,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        check_name("task_queue", task_queue)
        check_name("workflow_id_prefix", workflow_id_prefix, empty=True)
        check_bytes("cache_bytes", cache_bytes, zero="keeps none")
        self.task_queue = task_queue
        self._client = client
        self._prefix = workflow_id_prefix
        self._recent = Recent(cache_bytes)

    async def put(self, state: State) -> None:
        """Store `state` as what its session is now. A State equal to the stored one adds nothing to the history.

        Raises:
            ServerUnreachable: no server answers.
            BadInput: no workflow id can hold the session's id.
            InputTooLarge: it does not fit into a history, 30 MB compressed.
            NotAnAgentRun: the session's ids belong to workflows of another kind.
        """
        check_name("session_id", f"{names.CHECKPOINT_ID_PREFIX}{state.session_id}")
        client, place = await self._connected(), self._place(state.session_id)
        writer = Writer(client, place.holder, self.task_queue)
        with reaching(client):
            recent = self._recent.get(state.session_id)
            stored = await writer.append(recent, state) if recent else None
            if stored is None or stored is recent:
                # Another process may have put, closed or outgrown what is remembered.
                latest = await read(client, place)
                stored = await writer.append(latest, state) if latest else None
                stored = stored or await writer.begin(latest, state)
        self._keep(state.session_id, stored)

    async def get(self, session_id: str) -> State | None:
        """The State of the session, whichever changed it last: a put, or its durable run; None: there is none.

        Raises:
            ServerUnreachable: no server answers.
            NotAnAgentRun: the session's ids belong to workflows of another kind.
        """
        stored = await read(await self._connected(), self._place(session_id))
        if stored is None:
            self._recent.forget(session_id)
            return None
        self._keep(session_id, stored)
        return stored.state.model_copy(deep=True)

    async def get_put(self, session_id: str) -> State | None:
        """The State as it was last put, whatever a durable run made of it since; None: there is none.

        Raises:
            ServerUnreachable: no server answers.
            NotAnAgentRun: the id of its holder belongs to a workflow of another type.
        """
        stored = await read_put(await self._connected(), self._place(session_id))
        return stored.state.model_copy(deep=True) if stored is not None else None

    async def delete(self, session_id: str) -> None:
        """Remove the session, its durable run included; a run in flight is terminated. One that is missing is no error.

        From now on `get` finds nothing, in any process; the server removes the histories in the minutes that follow.

        Raises:
            ServerUnreachable: no server answers.
            NotAnAgentRun: the id of its holder belongs to a workflow of another type.
        """
        client = await self._connected()
        self._recent.forget(session_id)
        with reaching(client):
            await delete(client, self._place(session_id), self.task_queue)

    def _keep(self, session_id: str, stored: Stored) -> None:
        if stored.run_id is None:
            self._recent.forget(session_id)
        else:
            self._recent.keep(session_id, stored)

    def _place(self, session_id: str) -> Place:
        # What no workflow id can hold is the id of no session.
        session_id = readable(session_id)
        return Place(run=f"{self._prefix}{session_id}", holder=f"{names.CHECKPOINT_ID_PREFIX}{session_id}")

    async def _connected(self) -> Client:
        # Two first uses at once may connect twice; a lock would belong to one event loop.
        if self._client is None:
            self._client = await connect()
        return self._client


register_checkpoint("temporal", TemporalCheckpoint)
