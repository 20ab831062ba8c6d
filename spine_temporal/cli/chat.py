"""A conversation in the terminal: what `spine-temporal chat` does."""

import asyncio
import contextlib
import sys
import uuid
from collections.abc import Coroutine
from typing import Any, Final

from spine_temporal.cli.approval_text import MANUAL, question
from spine_temporal.cli.chat_turns import ChatTurns, TurnEnd
from spine_temporal.cli.decide import me
from spine_temporal.cli.editor import edited
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.log import show_log
from spine_temporal.cli.server import Server
from spine_temporal.cli.show_facts import used
from spine_temporal.cli.terminal import message, note, stderr, write
from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.approvals import Approval
from spine_temporal.contracts.approval import Decision
from spine_temporal.errors import BadInput, ServerUnreachable, SpineTemporalError

_HELP: Final = """\
Type what you want to say. Ctrl-C stops the turn, not the session; Ctrl-D leaves, and the session stays open.

  /undo         say the last thing anew: the conversation goes on from before it, in a session of its own
  /fork [STEP]  go on from there in a session of its own; this one is left as it is
  /cost         what the conversation has cost
  /stop         end the turn that waits for a decision
  /quit         leave
"""
_MOST_DIGITS: Final = 9
_PROMPT: Final = "> "
_DECISION: Final = "  approve? [y]es, [n]o, [e]dit, or why not: "
_ANSWER: Final = "  your answer: "
_LEAVE: Final = frozenset({"/quit", "/exit"})
_COMMANDS: Final = frozenset({"/undo", "/fork", "/cost", "/stop", "/help"}) | _LEAVE
_YES: Final = frozenset({"y", "yes"})
_NO: Final = frozenset({"n", "no"})


def chat(server: Server, agent: str, session: str | None, *, task_queue: str) -> Exit:
    """Talk until the user leaves."""
    show_log()
    # The arrow keys work in what is typed, where Python was built so.
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401
    session = session or f"chat-{uuid.uuid4().hex[:8]}"
    with asyncio.Runner() as runner:
        client = runner.run(server.client())
        turns = ChatTurns(client, DurableAgent(agent, client, task_queue=task_queue), session)
        note(f"{agent} · session {session} · /help says what else there is\n")
        _Chat(runner, turns).talk()
    note(f"\nthe session stays open: `{server.command('chat', agent, '--session', turns.session)}` goes on with it")
    return Exit.DONE


class _Chat:
    """Reads lines, and has each do what it says."""

    def __init__(self, runner: asyncio.Runner, turns: ChatTurns) -> None:
        self._runner = runner
        self._turns = turns
        self._waiting: list[Approval] = []
        self._typed: str | None = None
        """A command that was typed where a decision was asked for."""

    def talk(self) -> None:
        """Until the end of the input."""
        self._waiting = self._do(self._turns.pending()) or []
        self._ask()
        while (line := self._next_line()) is not None:
            word, _, rest = line.strip().partition(" ")
            if word in _LEAVE:
                return
            with contextlib.suppress(KeyboardInterrupt):
                self._take(line, word, rest.strip())

    def _next_line(self) -> str | None:
        typed, self._typed = self._typed, None
        return _read(_PROMPT) if typed is None else typed

    def _take(self, line: str, word: str, rest: str) -> None:
        if word.startswith("/") and word.count("/") == 1:
            self._command(word, rest)
        elif self._waiting:
            note("the turn waits for a decision; /stop ends it")
            self._ask()
        elif line.strip():
            self._follow(self._turns.say(line))

    def _command(self, word: str, rest: str) -> None:
        match word:
            case "/undo":
                undone = self._do(self._turns.undo())
                # The next input goes elsewhere; the question stays with the turn that was left.
                self._waiting = [] if undone else self._waiting
                note("what do you say instead?" if undone else "there is nothing to go back behind")
            case "/fork" if rest == "" or _is_step(rest):
                step = self._do(self._turns.fork(int(rest) if rest else None))
                if step is not None:
                    self._waiting = []
                    note(f"the next thing you say goes on from step {step}, in a session of its own")
            case "/cost":
                self._print_cost()
            case "/stop":
                self._do(self._turns.stop())
                self._waiting = []
            case "/help":
                stderr().print(_HELP, markup=False)
            case _:
                message("error", f"no command {word!r}; /help lists them", "bold red")

    def _print_cost(self) -> None:
        described = self._do(self._turns.described())
        if described is None:
            note("nothing has been asked yet")
            return
        write(used(described))

    def _follow(self, turn: Coroutine[Any, Any, TurnEnd]) -> bool:
        """Show where the turn comes to; False: it could not be followed."""
        end = self._do(turn)
        if end is None:
            return False
        result = end.result
        self._waiting = end.pending
        if result.answer is not None and result.answer != end.shown:
            write(result.answer)
        self._ask()
        return True

    def _ask(self) -> None:
        """Have the user decide on what the turn waits for, call by call; an end of the input leaves it waiting."""
        if not self._waiting:
            return
        approval = self._waiting[0]
        stderr().print(f"\n  {question(approval)}", style="yellow", markup=False)
        try:
            line = _read(_ANSWER if approval.mode == MANUAL else _DECISION, on_ctrl_c=None)
            if line is not None and line.strip().partition(" ")[0] in _COMMANDS:
                self._typed = line
                return
            decision = _decision(approval, line.strip()) if line is not None and line.strip() else None
        except BadInput as error:
            message("error", str(error), "bold red")
            decision = None
        if decision is None:
            note("it waits; press Enter to be asked again")
            return
        if not self._follow(self._turns.decide(approval, decision)):
            self._look_again(approval)

    def _look_again(self, approval: Approval) -> None:
        """Somebody else may have decided, or nobody in time: what is asked is no more what was asked about."""
        waiting = self._do(self._turns.pending())
        if waiting is None or approval in waiting:
            return
        self._waiting = waiting
        if waiting:
            self._ask()
        else:
            note("the turn goes on without it")
            self._follow(self._turns.go_on())

    def _do[T](self, work: Coroutine[Any, Any, T]) -> T | None:
        """What it gives; None: it went wrong, and stderr says how, or the user did not want to wait for it."""
        try:
            return self._runner.run(work)
        except ServerUnreachable:
            raise
        except SpineTemporalError as error:
            message("error", str(error), "bold red")
        except (KeyboardInterrupt, asyncio.CancelledError):
            note("\nnot waited for; it goes on")
        return None


def _is_step(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _read(prompt: str, *, on_ctrl_c: str | None = "") -> str | None:
    """The next line; None: there are no more."""
    try:
        return input(prompt if sys.stdin.isatty() and sys.stdout.isatty() else "")
    except EOFError:
        return None
    except KeyboardInterrupt:
        # As a shell does.
        stderr().print()
        return on_ctrl_c


def _decision(approval: Approval, line: str) -> Decision:
    if approval.mode == MANUAL:
        return Decision(value=line, decided_by=me())
    word = line.lower()
    if word in _YES:
        return Decision(digest=approval.digest, decided_by=me())
    if word in ("e", "edit"):
        return Decision(arguments=edited(approval.arguments), digest=approval.digest, decided_by=me())
    return Decision(approve=False, reason=None if word in _NO else line, decided_by=me())
