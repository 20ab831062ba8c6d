"""A person's decision: what `spine-temporal approve`, `reject`, `answer` do."""

import asyncio
import getpass
import json as json_
from dataclasses import dataclass, replace
from typing import Any

from spine_temporal.cli.approval_text import MANUAL, question
from spine_temporal.cli.editor import edited, parsed
from spine_temporal.cli.errors import ids_as_typed
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.log import show_log
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import write
from spine_temporal.client.approvals import Approval
from spine_temporal.client.pending import Unlisted, chosen
from spine_temporal.client.run import Run
from spine_temporal.client.run_summary import run_name
from spine_temporal.client.runs import find_run
from spine_temporal.contracts.approval import Decision, DecisionReceipt
from spine_temporal.errors import BadInput, DecisionRefused


@dataclass(frozen=True, slots=True)
class Edit:
    """How the arguments are to be changed; None, False: they are not."""

    arguments: str | None = None
    in_editor: bool = False
    digest: str | None = None
    """Of the arguments that the user has looked at."""

    def of(self, approval: Approval) -> dict[str, Any]:
        """What it adds to the decision.

        Raises:
            BadInput: what was given or left in the editor is no JSON object.
            DecisionRefused: the arguments are others than the user looked at.
        """
        if self.digest not in (None, approval.digest):
            raise DecisionRefused(
                f"call {approval.position} of {approval.tool!r} has other arguments (digest {approval.digest}) than "
                f"those that were looked at (digest {self.digest}); look at them again"
            )
        if self.in_editor:
            return {"arguments": edited(approval.arguments), "digest": approval.digest}
        arguments = None if self.arguments is None else parsed(self.arguments, "--arguments")
        return {"arguments": arguments, "digest": approval.digest}


def approve(server: Server, id: str, call: str | None, edit: Edit, *, reason: str | None, by: str | None) -> Exit:
    """Let the call run."""
    if edit.in_editor and edit.arguments is not None:
        raise BadInput("--edit and --arguments both say the arguments; give one of them")
    asyncio.run(_decide(server, id, call, Decision(reason=reason, decided_by=by or me()), edit))
    return Exit.DONE


def reject(server: Server, id: str, call: str | None, *, reason: str | None, by: str | None) -> Exit:
    """Do not let the call run; the model gets to know it."""
    asyncio.run(_decide(server, id, call, Decision(approve=False, reason=reason, decided_by=by or me()), Edit()))
    return Exit.DONE


def answer(server: Server, id: str, value: str, call: str | None, *, is_json: bool, by: str | None) -> Exit:
    """Give a tool that asked what it asked for."""
    try:
        answered = json_.loads(value) if is_json else value
    except ValueError as error:
        raise BadInput(f"the value is no JSON: {error}; without --json-value it is taken as text") from None
    asyncio.run(_decide(server, id, call, Decision(value=answered, decided_by=by or me()), None))
    return Exit.DONE


async def _decide(server: Server, id: str, call: str | None, decision: Decision, edit: Edit | None) -> None:
    """Without an `edit`, the decision is an answer."""
    show_log()
    client = await server.client()
    found = await find_run(client, id)
    with ids_as_typed(found.run, id):
        approval = await _chosen(found.run, call)
        if approval is not None:
            _check_kind(server, approval, is_answer=edit is None)
            call = f"{approval.run}/{approval.position}"
            if edit is not None:
                decision = decision.model_copy(update=edit.of(approval))
        receipt = await found.run.decide(decision, call)
    write(_receipt_text(receipt, approval, decision, id, is_answer=edit is None))


async def _chosen(run: Run, call: str | None) -> Approval | None:
    """The call that is meant; None: it does not wait, and the run itself says why when it is asked."""
    pending = await run.pending()
    try:
        return chosen(pending, call, run.id) if pending else None
    except Unlisted:
        return None


def _check_kind(server: Server, approval: Approval, *, is_answer: bool) -> None:
    run, call = run_name(approval.workflow_id), approval.position
    if is_answer and approval.mode != MANUAL:
        # As an answer, even "no" would approve it.
        ways = f"`{server.run_command('approve', run, call)}` or `{server.run_command('reject', run, call)}`"
        raise DecisionRefused(f"call {call} of {approval.tool!r} asks for no value; it is decided with {ways}")
    if not is_answer and approval.mode == MANUAL:
        way = f"`{server.run_command('answer', run, 'VALUE', call)}`"
        raise DecisionRefused(f"call {call} of {approval.tool!r} has asked a question; it is answered with {way}")


def _receipt_text(
    receipt: DecisionReceipt, approval: Approval | None, decision: Decision, run: str, *, is_answer: bool
) -> str:
    outcome = "answered" if is_answer else "approved" if receipt.approved else "rejected"
    with_edits = " with edited arguments" if decision.arguments is not None else ""
    what = receipt.tool
    if approval is not None:
        arguments = decision.arguments if decision.arguments is not None else approval.arguments
        what = question(replace(approval, arguments=arguments))
    asking = (
        run if approval is None or run_name(run) == run_name(approval.workflow_id) else run_name(approval.workflow_id)
    )
    return f"{outcome}{with_edits}: call {receipt.position} of run {asking}, {what}"


def me() -> str | None:
    """The login name of whoever decides; None: there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that has no name.
        return None
