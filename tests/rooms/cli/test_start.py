"""`spine-temporal run` and `start`: answers on stdout, everything else on stderr, a code for scripts."""

import json
import signal
from pathlib import Path

import pytest
from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine, Done

pytestmark = pytest.mark.durable


async def test_the_answer_is_all_that_run_prints(command: CommandLine) -> None:
    assert await command("run", "clerk", "1 + 2?", *command.queue) == Done(Exit.DONE, "It is 3.\n", "")


async def test_json_is_the_kernels_result_whole(command: CommandLine, client: Client) -> None:
    done = await command("run", "clerk", "1 + 2?", "--session", "json-1", "--json", *command.queue)

    result = Result.model_validate_json(done.out)
    assert (done.code, done.err) == (Exit.DONE, ""), done.err
    assert result == await DurableAgent("clerk", client).get_run("json-1").result()


async def test_who_follows_sees_each_thing_done_and_what_it_cost(command: CommandLine) -> None:
    done = await command("run", "clerk", "1 + 2?", "--follow", *command.queue)

    assert done.out == "It is 3.\n"
    assert "add(a=1, b=2) → 3" in done.err
    assert "2 steps · 30 tokens · $0.2500" in done.err


async def test_a_terminal_shows_what_goes_on_then_the_answer(command: CommandLine) -> None:
    shown = await command.on_terminal("run", "clerk", "1 + 2?", "--session", "watched", *command.queue)

    told = [shown.index(each) for each in ("clerk · run watched", "add(a=1, b=2)", "It is 3.", "2 steps")]
    assert told == sorted(told)


async def test_the_input_can_come_from_stdin(command: CommandLine) -> None:
    done = await command("run", "clerk", "-", "--json", *command.queue, stdin="1 + 2?")

    assert Result.model_validate_json(done.out).state.messages[0].content == "1 + 2?"


async def test_a_run_that_a_guard_stops_prints_its_last_text_and_has_code_1(command: CommandLine) -> None:
    done = await command("run", "looping", "go", *command.queue)

    assert (done.code, done.out) == (Exit.NO_ANSWER, "Let me see.\n"), done.err
    assert "ended without a final answer, max_steps; `spine-temporal show " in done.err


async def test_a_run_that_fails_says_why_in_one_line(command: CommandLine) -> None:
    done = await command("run", "down", "go", *command.queue)

    assert (done.code, done.out) == (Exit.NO_ANSWER, ""), done.err
    assert "ended without a final answer, error: the key is wrong" in done.err
    assert done.err.count("\n") == 1


async def test_an_unknown_agent_is_named_with_those_there_are(command: CommandLine) -> None:
    done = await command("run", "nobody", "go", *command.queue)

    assert done.code == Exit.BAD_USAGE, done.err
    assert (
        done.err
        == "error: no agent 'nobody'; this worker has: boss, cashier, clerk, down, looping, planner, poet, waiter\n"
    )


@pytest.mark.parametrize("arguments", [("clerk", " "), ("", "hello")])
async def test_bad_input_is_refused_before_anything_starts(command: CommandLine, arguments: tuple[str, str]) -> None:
    done = await command("run", *arguments, *command.queue)

    assert done.code == Exit.BAD_USAGE, done.err
    assert done.err.startswith("error: ")


async def test_a_session_with_a_turn_in_hand_refuses_another_one_on_demand(
    command: CommandLine, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await command("start", "waiter", str(gate), "--session", "busy", *command.queue)

    done = await command("run", "waiter", str(gate), "--session", "busy", "--on-busy", "reject", *command.queue)
    gate.touch()

    assert (done.code, done.out) == (Exit.BAD_USAGE, ""), done.err
    assert done.err == "error: session 'busy' is busy: turn 1 runs\n"


async def test_further_turns_go_on_with_the_conversation(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "talk", *command.queue)
    done = await command("run", "cashier", "goodbye", "--session", "talk", *command.queue)

    shown = json.loads((await command("show", "talk", "--json")).out)
    assert done.out == "You said goodbye.\n"
    assert [message["content"] for message in shown["state"]["messages"] if message["role"] == "user"] == [
        "hello",
        "goodbye",
    ]
    assert (shown["turn"], shown["status"], shown["reason"]) == (2, "idle", "final")


async def test_a_run_that_pauses_says_what_it_waits_for_and_how_to_decide(command: CommandLine) -> None:
    done = await command("run", "cashier", "pay", "--session", "to-decide", *command.queue)

    assert (done.code, done.out) == (Exit.PAUSED, ""), done.err
    first, asked, way = done.err.splitlines()
    assert first == "paused: run to-decide waits for a decision"
    assert asked.startswith("  pay(amount=5, to='acme') · call 1.0 · asked ")
    assert way == "    `spine-temporal approve to-decide` or `spine-temporal reject to-decide`"


async def test_who_waits_behind_a_paused_turn_is_warned(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "blocked", *command.queue)

    waiting = await command.start("run", "cashier", "hello", "--session", "blocked", *command.queue)
    await waiting.says("turn 2 waits: session blocked is paused, `spine-temporal show blocked` says at what")
    await command("approve", "blocked")

    assert await waiting.ended() == Exit.DONE
    assert waiting.lines[-1] == "You said hello.\n"


async def test_of_several_calls_each_is_printed_with_its_own_line_to_type(command: CommandLine) -> None:
    done = await command("run", "cashier", "pay twice", "--session", "both", *command.queue)

    assert done.code == Exit.PAUSED, done.err
    assert "    `spine-temporal approve both 1.0` or `spine-temporal reject both 1.0`\n" in done.err
    assert "  pay(amount=7, to='emca') · call 1.1 · its turn has not come\n" in done.err
    assert "    `spine-temporal approve both 1.1` or `spine-temporal reject both 1.1`\n" in done.err


async def test_a_question_is_printed_with_the_line_that_answers_it(command: CommandLine) -> None:
    done = await command("run", "cashier", "ask", "--session", "question", "--json", *command.queue)

    assert (done.code, Result.model_validate_json(done.out).interrupt) == (Exit.PAUSED, "Which account?"), done.err
    assert "ask(question='Which account?') asks: Which account? · call 1.0" in done.err
    assert done.err.endswith("    `spine-temporal answer question VALUE`\n")


async def test_a_call_that_nobody_decides_is_taken_as_ordered(command: CommandLine) -> None:
    late = ("--approval-timeout", "0.1", "--on-timeout", "approve")
    await command("run", "cashier", "pay", "--session", "late", *late, *command.queue)
    # Behind it in the queue, so it is there when this one is answered.
    await command("run", "cashier", "hello", "--session", "late", *command.queue)

    shown = await command("show", "late", "--json")

    (made,) = json.loads(shown.out)["decisions"]
    assert (made["decision"], made["reason"]) == ("expired", "nobody decided within 0.1 s")
    assert "paid 5 to acme" in [message["content"] for message in json.loads(shown.out)["state"]["messages"]]


@pytest.mark.parametrize("options", [("--on-timeout", "approve"), ("--approval-timeout", "0")])
async def test_a_time_limit_without_a_time_is_bad_input(alone: CommandLine, options: tuple[str, ...]) -> None:
    done = await alone("run", "cashier", "pay", *options, *alone.queue)

    assert done.code == Exit.BAD_USAGE, done.err
    assert "--approval-timeout" in done.err


async def test_without_a_server_the_next_step_is_named(alone: CommandLine) -> None:
    done = await alone("run", "clerk", "hi", "--address", "127.0.0.1:1")

    assert done.code == Exit.NO_SERVER, done.err
    assert done.err.startswith("error: no Temporal server answers at 127.0.0.1:1; start one with `spine-temporal dev`")


async def test_who_waits_for_a_worker_is_warned_and_may_leave_without_the_run(alone: CommandLine) -> None:
    waiting = await alone.start("run", "clerk", "hi", "--session", "left", *alone.queue)
    await waiting.says("warning: no worker polls task queue")

    code = await waiting.ended(signal.SIGINT)

    assert code == Exit.CTRL_C
    assert "See it with `spine-temporal show left`" in "".join(waiting.lines)
    assert json.loads((await alone("show", "left", "--json")).out)["status"] == "running"


async def test_start_prints_the_id_and_does_not_wait(alone: CommandLine) -> None:
    done = await alone("start", "clerk", "hi", "--session", "begun", *alone.queue)

    assert done == Done(Exit.DONE, "begun\n", "")


async def test_start_says_as_json_how_temporal_calls_the_run(alone: CommandLine) -> None:
    told = json.loads((await alone("start", "clerk", "hi", "--json", *alone.queue)).out)

    assert told["workflow_id"] == f"spine-{told['session_id']}"
    assert told["run_id"]


async def test_a_server_that_does_not_speak_tls_is_no_server_by_tls(alone: CommandLine) -> None:
    done = await alone("list", environment={"TEMPORAL_API_KEY": "a-key"})

    assert done.code == Exit.NO_SERVER
    assert (
        f"no Temporal server answers at {alone.address} (by TLS, which TEMPORAL_TLS or an API key asks for)" in done.err
    )
