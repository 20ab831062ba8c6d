"""Tool calls that are done once, whoever repeats them."""

import asyncio
import contextlib
import hashlib
import json
import reprlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python
from spine_core import ToolContext

from spine_temporal.contracts import names
from spine_temporal.contracts.base import is_time
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.shared_limits import Claimed, ClaimRequest, DoneRequest, LeaseRequest
from spine_temporal.errors import BadInput
from spine_temporal.middleware.server_state import StateWorkflow, found, name_of_work, patiently

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.common import WorkflowIDReusePolicy

_DAY_S: Final = 24 * 3600.0


class Idempotency:
    """Runs a tool once for each key; whoever calls it again is given the result of then.

    It is `spine_middleware.Idempotency`, with what was done kept in Temporal. The key is the tool's name with its
    arguments, or what `key(name, arguments)` says; with `tools`, only those are guarded. Of several that call at once,
    in whatever worker, one runs the tool and the others wait for its result. A result is remembered for `remember_s`,
    then for as long as the namespace keeps closed workflows. `name` tells keys apart that mean different things.

    If the worker dies while the tool runs, the next attempt of that call runs it again: nobody knows how far it came.
    Another call may run it when the first has not been heard of for `lease_s`; None: as long as its attempt may take.
    A tool that is another agent keeps nobody waiting: its first answer is remembered, of several at once each runs.

    What is known of a key is in the workflow `spine.once-<name>/<hash of the key>`, which the workers of `task_queue`
    work on; None: those of the run that called first. `store` is there for the kernel's signature and must be None.

    Raises:
        BadInput: there is a `store`, or a time is none that a server could wait.
    """

    def __init__(
        self,
        *,
        tools: list[str] | None = None,
        store: None = None,
        key: Callable[[str, dict[str, Any]], str] | None = None,
        name: str = "default",
        remember_s: float = 30 * _DAY_S,
        lease_s: float | None = None,
        client: "Client | None" = None,
        task_queue: str | None = None,
    ) -> None:
        for option, given in (("remember_s", remember_s), ("lease_s", lease_s)):
            if given is not None and not is_time(given):
                raise BadInput(f"{option} is {given!r}; it is a number of seconds above 0 and up to ten years")
        self.tools = set(tools) if tools else None
        self.name = name
        self.remember_s = remember_s
        self.lease_s = lease_s
        self._key = key or _key
        self._keeper = StateWorkflow(client, task_queue, store)
        self._held: dict[str, tuple[str, str]] = {}
        self._id = secrets.token_hex(8)

    async def before_tool(self, ctx: ToolContext) -> None:
        """Take the call's key, or its result if there is one; wait while another has it."""
        if not self._guards(ctx):
            return
        workflow_id = self._workflow_id(ctx)
        # On the plain kernel a run's calls are one owner's: one of them may have been answered by another hook.
        owner = name_of_work(f"{self._id}/{ctx.state.session_id}")
        claimed = await self._claim(workflow_id, owner)
        if not claimed.granted:
            ctx.result = json.loads(claimed.result)
            ctx.skip = True
            return
        call = _name_of(ctx)
        self._held[call] = (workflow_id, owner)
        # Whatever becomes of the call (another hook answers it, stops the run), nobody waits for it in vain.
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: self._give_up(call, asyncio.get_running_loop()))

    async def after_tool(self, ctx: ToolContext) -> None:
        """Have the result remembered. It is in the server's keeping when this returns."""
        held = self._held.pop(_name_of(ctx), None)
        if held is None and not self._guards(ctx):
            return
        # Where nothing is held, another agent has worked on it, outside of this activity: the key was given up.
        workflow_id, owner = held or (self._workflow_id(ctx), name_of_work(self._id))
        await self._remember(workflow_id, await self._done(owner, _written(ctx.result)))

    def _workflow_id(self, ctx: ToolContext) -> str:
        return f"{names.ONCE_ID_PREFIX}{self.name}/{_hash(self._key(ctx.call.name, ctx.args))}"

    def _guards(self, ctx: ToolContext) -> bool:
        return self.tools is None or ctx.call.name in self.tools

    def _give_up(self, call: str, loop: asyncio.AbstractEventLoop) -> None:
        held = self._held.pop(call, None)
        if held is not None:
            workflow_id, owner = held
            giving_up = loop.create_task(found(lambda: self._say(workflow_id, DoneRequest(owner=owner))))
            _giving_up.add(giving_up)
            giving_up.add_done_callback(_giving_up.discard)

    async def _claim(self, workflow_id: str, owner: str) -> Claimed:
        from temporalio.common import RawValue
        from temporalio.exceptions import WorkflowAlreadyStartedError

        from spine_temporal.payloads import pack, unpack

        request = pack(ClaimRequest(owner=owner, lease_s=self._lease_s()))
        begins_with = pack(LeaseRequest(remember_s=self.remember_s))
        try:
            answer = await self._keeper.updated(
                names.CLAIM_UPDATE, request, names.ONCE_WORKFLOW, begins_with, workflow_id, id_reuse_policy=_again()
            )
        except WorkflowAlreadyStartedError:
            # It is closed: its result is what was done.
            handle = (await self._keeper.client()).get_workflow_handle(workflow_id, result_type=RawValue)
            answer = await patiently(handle.result)
        return unpack(Claimed, answer)

    async def _done(self, owner: str, result: str) -> DoneRequest:
        from spine_temporal.connection.payload_limit import excess
        from spine_temporal.contracts.base import dump

        done = DoneRequest(owner=owner, result=result)
        if await excess(dump(done), await self._keeper.client()) is None:
            return done
        text = f"it was done before, with a result of {len(result):,} characters, too many to be remembered"
        return DoneRequest(owner=owner, result=json.dumps(text))

    async def _remember(self, workflow_id: str, done: DoneRequest) -> None:
        """Have it remembered, also where the call took longer than it was to be remembered that it was claimed."""
        from temporalio.common import WorkflowIDConflictPolicy
        from temporalio.exceptions import WorkflowAlreadyStartedError

        from spine_temporal.payloads import pack

        client = await self._keeper.client()
        # Closed with a result, it remembers what another call was quicker with.
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await patiently(
                lambda: client.start_workflow(
                    names.ONCE_WORKFLOW,
                    pack(LeaseRequest(remember_s=self.remember_s)),
                    id=workflow_id,
                    task_queue=self._keeper.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=_again(),
                    task_timeout=timedelta(seconds=WORKER_SILENCE_S),
                    start_signal=names.DONE_SIGNAL,
                    start_signal_args=[pack(done)],
                )
            )

    async def _say(self, workflow_id: str, request: DoneRequest) -> None:
        from spine_temporal.payloads import pack

        client = await self._keeper.client()
        await patiently(lambda: client.get_workflow_handle(workflow_id).signal(names.DONE_SIGNAL, pack(request)))

    def _lease_s(self) -> float:
        from temporalio import activity

        if self.lease_s is not None:
            return self.lease_s
        limit = activity.info().start_to_close_timeout if activity.in_activity() else None
        return limit.total_seconds() if limit is not None else _DAY_S


_giving_up: Final[set[asyncio.Task[None]]] = set()


def _again() -> "WorkflowIDReusePolicy":
    from temporalio.common import WorkflowIDReusePolicy

    return WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY


def _key(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}:{json.dumps(arguments, sort_keys=True, default=str)}"


def _hash(key: Any) -> str:
    """The same in whatever process. Spine's own takes numbers and tuples, too, whatever the annotation says."""
    try:
        text = key if isinstance(key, str) else json.dumps(to_jsonable_python(key), sort_keys=True)
    except PydanticSerializationError:
        raise BadInput(f"key() gave {reprlib.repr(key)}; it is text, or what JSON holds") from None
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _name_of(ctx: ToolContext) -> str:
    return f"{ctx.state.session_id}/{ctx.state.step}/{ctx.call.id}/{id(ctx)}"


def _written(result: Any) -> str:
    """The result so that the model reads the same text of it, now or later."""
    text = result.model_dump_json() if isinstance(result, BaseModel) else result
    return json.dumps(to_jsonable_python(text, fallback=str))
