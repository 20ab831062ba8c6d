"""An agent that lives on workers, used like an agent in this process."""

import functools
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import anyio
from spine_core import Result, Tool
from spine_core.errors import ResumeError
from temporalio.client import Client
from temporalio.common import Priority

from spine_temporal.client.as_tool import as_tool
from spine_temporal.client.pollers import result_unless
from spine_temporal.client.request_size import check_size
from spine_temporal.client.run import TOKENS_EVERY_S, Run
from spine_temporal.client.sessions import SessionStarter
from spine_temporal.client.tracing import starting
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import ApprovalPolicy, OnTimeout
from spine_temporal.contracts.base import MIN_TOKENS_EVERY_S, is_time
from spine_temporal.contracts.fairness import fairness_key
from spine_temporal.contracts.json_form import readable
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.errors import BadInput, RunNotFound
from spine_temporal.given import (
    check_name,
    check_seconds,
    check_type,
    check_word,
    refused,
    session_name,
    user_input,
)

if TYPE_CHECKING:
    from spine_temporal.client.run_event import RunEvent

DEFAULT_SESSION_TTL_S: Final = 600.0


class DurableAgent:
    """The agent `name` of the workers on `task_queue`, with the methods and Results of `spine_core.Agent`.

    Nothing of the agent is needed in this process: not its tools, its keys or its plugins. `workflow_id_prefix` goes
    before the session id to make the workflow id. `last_result` is the Result of the last run that this object
    waited for.

    A session that is named by its caller stays open for `session_ttl_s` after its last turn; then it is closed, and
    the next turn opens it again with the whole conversation. `approval_timeout_s` is how long a call waits for a person
    (None: for ever), `on_timeout` what happens then; a tool's own `@durable(...)` goes before them. What `step_policy`
    and `tool_policy` say goes before the worker's own, for conversations that this object opens and for the agents that
    work for them; here, too, a tool's own goes first.

    `stream` tells tokens `tokens_every_s` apart. Each time is a heartbeat of the worker and one or two requests of the
    client, once for all who read along in one process; where heartbeats are billed, 0.5 is a good value.

    `tenant_id` says whose the conversations are that it opens (None: the agent says), and is Temporal's fairness key.
    `priority` is Temporal's own: which tasks go first, and with what weight those of a tenant are shared out.

    Temporal's own UI shows names and numbers of a run; with `ui_text` also texts, in conversations that this
    object opens.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        task_queue: str = names.DEFAULT_TASK_QUEUE,
        workflow_id_prefix: str = names.WORKFLOW_ID_PREFIX,
        session_ttl_s: float = DEFAULT_SESSION_TTL_S,
        approval_timeout_s: float | None = None,
        on_timeout: OnTimeout = "reject",
        step_policy: ActivityPolicy | None = None,
        tool_policy: ActivityPolicy | None = None,
        tokens_every_s: float = TOKENS_EVERY_S,
        ui_text: bool = False,
        tenant_id: str | None = None,
        priority: Priority = Priority.default,
    ) -> None:
        check_name("the agent's name", name)
        check_name("task_queue", task_queue)
        check_name("workflow_id_prefix", workflow_id_prefix, empty=True)
        check_seconds("session_ttl_s", session_ttl_s, zero="closes at once")
        if not is_time(tokens_every_s) or tokens_every_s < MIN_TOKENS_EVERY_S:
            raise refused("tokens_every_s", tokens_every_s, f"a number of seconds from {MIN_TOKENS_EVERY_S}")
        for policy, given in (("step_policy", step_policy), ("tool_policy", tool_policy)):
            check_type(policy, given, ActivityPolicy | None, "an ActivityPolicy, or None")
        check_type("ui_text", ui_text, bool, "True or False")
        self.name = name
        self.task_queue = task_queue
        self.session_ttl_s = session_ttl_s
        self.approval = _approval(approval_timeout_s, on_timeout)
        self.step_policy = step_policy
        self.tool_policy = tool_policy
        self.tokens_every_s = tokens_every_s
        self.ui_text = ui_text
        self.tenant_id = tenant_id
        self.priority = _priority(priority, tenant_id)
        self.last_result: Result | None = None
        self._client = client
        self._prefix = workflow_id_prefix

    async def run(
        self,
        input: str,
        *,
        session_id: str | None = None,
        should_cancel: Callable[[], bool] | None = None,
        on_busy: OnBusy = "queue",
    ) -> Result:
        """Say `input`, wait for the Result, as `Agent.run` does.

        With a `session_id` it is the next turn of that conversation: behind the one in hand, if there is one; with
        `on_busy="reject"` it is refused then. The run goes on when this process dies; `get_run(session_id)` finds it
        again. `should_cancel` is asked here, ten times a second, and ends the turn at its next step boundary; so does
        what it raises, which is raised here. When nobody polls the task queue, a warning is logged after a few seconds
        and the wait goes on.

        Raises:
            BadInput: the input is empty, or too large for a payload (`InputTooLarge`).
            SessionBusy: another turn is in hand, with `on_busy="reject"`, or too many wait already.
            ServerUnreachable: no server answers.
            UnknownAgent: the worker serves no such agent.
        """
        cancelled = should_cancel is not None and should_cancel()
        run = await self._start(input, session_id, stop=cancelled, on_busy=on_busy)
        result = await (run.result() if should_cancel is None else result_unless(should_cancel, run))
        self.last_result = result
        return result

    async def resume(self, token: str, decision: Any = "approve") -> Result:
        """Decide on the call that the run `token` is paused at, wait for its next Result, as `Agent.resume` does.

        `token` is the session id, and `Result.resume_token`. It works from any process, at any time. `Run.decide`
        decides on one of several calls, and does not wait.

        Raises:
            spine_core.errors.ResumeError: no run of that id waits for a decision.
            DecisionRefused: it does, but not for this one.
            ServerUnreachable: no server answers.
        """
        try:
            run = await self.get_run(token).in_hand()
            if not await run.pending():
                raise ResumeError(f"no resumable run for token {token!r}: nothing waits for a decision")
        except RunNotFound as error:
            raise ResumeError(f"no resumable run for token {token!r}: {error}") from error
        _, before = await run.decide_on(decision, None)
        result = await run.next_result(after=before)
        self.last_result = result
        return result

    async def start(
        self, input: str, *, session_id: str | None = None, on_busy: OnBusy = "queue", tokens: bool = False
    ) -> Run:
        """Say `input`; do not wait for what comes of it.

        A new run is accepted also when no worker is there yet; a turn of a session that is open needs one. With
        `tokens` what the model writes is emitted from the first step on, for whoever asks `Run.events` for it.

        Raises:
            BadInput: the input is empty, or too large for a payload (`InputTooLarge`).
            SessionBusy: another turn is in hand, with `on_busy="reject"`, or too many wait already.
            ServerUnreachable: no server answers.
        """
        return await self._start(input, session_id, stop=False, on_busy=on_busy, tokens=tokens)

    async def stream(self, input: str, *, session_id: str | None = None) -> "AsyncGenerator[RunEvent]":
        """Say `input`, give the trace events live, tokens included, until the run stops.

        Afterwards `last_result` is its Result, whose trace has no tokens.

        Whoever stops reading leaves the run going.
        """
        run = await self._start(input, session_id, stop=False, on_busy="queue", tokens=True)
        async with aclosing(run.events(tokens=True)) as events:
            async for event in events:
                yield event
        self.last_result = await run.result()

    def run_sync(self, input: str, *, session_id: str | None = None) -> Result:
        """`run`, for code without an event loop."""
        return anyio.run(functools.partial(self.run, input, session_id=session_id))

    def resume_sync(self, token: str, decision: Any = "approve") -> Result:
        """`resume`, for code without an event loop."""
        return anyio.run(functools.partial(self.resume, token, decision))

    def as_tool(self, *, name: str | None = None, description: str | None = None, max_depth: int = 8) -> Tool:
        """This agent as a tool of another one, as `Agent.as_tool` makes it.

        The other may live on the plain kernel: the tool then waits for a durable run. Given to a durable agent in the
        same namespace, each call becomes a child workflow on this agent's task queue.
        """
        return as_tool(
            self.run,
            agent=self.name,
            task_queue=self.task_queue,
            namespace=self._client.namespace,
            name=name or self.name,
            description=description,
            max_depth=max_depth,
        )

    def get_run(self, id: str) -> Run:
        """The run of that session id, from any process. Whether it exists shows when it is asked something."""
        # What no workflow id can hold is the name of no run either.
        named = readable(str(id))
        run = Run(self._client, id=named, workflow_id=f"{self._prefix}{named}")
        run.tokens_every_s = self.tokens_every_s
        return run

    async def _start(
        self, input: str, session_id: str | None, *, stop: bool, on_busy: OnBusy, tokens: bool = False
    ) -> Run:
        session_id = session_name(str(session_id) if isinstance(session_id, uuid.UUID) else session_id, self._prefix)
        check_word("on_busy", on_busy, OnBusy)
        with starting(self.name, session_id) as trace:
            changes: dict[str, Any] = {"trace": trace} if trace else {}
            request = await self._request(input, session_id, stop=stop)
            if tokens:
                changes["tokens_every_s"] = self.tokens_every_s
            return await self._begin(request.model_copy(update=changes), session_id, on_busy)

    async def _begin(self, request: RunRequest, session_id: str | None, on_busy: OnBusy) -> Run:
        run = self.get_run(str(request.session_id))
        speaker = SessionStarter(self._client, self.task_queue, self.priority)
        if session_id is None:
            run.run_id = await speaker.start(run.workflow_id, request)
            run.just_begun()
            return run
        spoken = await speaker.say(run.workflow_id, request, on_busy=on_busy)
        run.run_id, run.turn, run.update_id = spoken.run_id, spoken.turn, spoken.update_id
        run.just_begun()
        return run

    async def _request(self, input: str, session_id: str | None, *, stop: bool) -> RunRequest:
        request = RunRequest(
            agent=self.name,
            input=user_input("a run", input),
            session_id=session_id or uuid.uuid4().hex,
            stop=stop,
            session_ttl_s=self.session_ttl_s if session_id else 0.0,
            named=session_id is not None,
            tenant_id=self.tenant_id,
            ui_text=self.ui_text,
            approval=self.approval,
            step_policy=self.step_policy,
            tool_policy=self.tool_policy,
        )
        await check_size(request, "the input", self._client)
        return request


def _priority(priority: Priority, tenant_id: str | None) -> Priority:
    """The priority of the runs of a tenant, who is its fairness key."""
    check_type("priority", priority, Priority, "a temporalio.common.Priority")
    if tenant_id is None:
        return priority
    check_name("tenant_id", tenant_id)
    if priority.fairness_key is not None:
        raise BadInput(f"tenant_id {tenant_id!r} is the fairness key; priority says {priority.fairness_key!r} as well")
    return replace(priority, fairness_key=fairness_key(tenant_id))


def _approval(timeout_s: float | None, on_timeout: OnTimeout) -> ApprovalPolicy | None:
    check_word("on_timeout", on_timeout, OnTimeout)
    if timeout_s is None:
        return None
    if not is_time(timeout_s):
        raise refused("approval_timeout_s", timeout_s, "a number of seconds above 0 and up to ten years, or None")
    return ApprovalPolicy(timeout_s=timeout_s, on_timeout=on_timeout)
