"""The command line itself: quick, and clear about what it was not told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.cli.errors import report
from spine_temporal.cli.exit_codes import MEANING, Exit
from spine_temporal.cli.main import call
from spine_temporal.cli.server import Server, global_options_first
from spine_temporal.errors import BadInput, SpineTemporalError


def rpc(message: str, status: RPCStatusCode) -> RPCError:
    return RPCError(message, status, b"")


_COMMAND = str(Path(sys.executable).with_name("spine-temporal"))
_COMMANDS = (
    *("demo", "dev", "worker", "run", "start", "list", "show", "stop", "cancel"),
    *("approvals", "approve", "reject", "answer", "resume", "fork"),
)


def test_help_lists_the_commands_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--help"]) == Exit.DONE

    out = capsys.readouterr().out
    for name in _COMMANDS:
        assert f"\n  {name} " in out
    for code, meaning in MEANING.items():
        assert f"{code}  {meaning}" in out
    assert {*MEANING} == {*Exit}


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call([name, "-h"]) == Exit.DONE

    assert capsys.readouterr().out.startswith(f"Usage: spine-temporal {name} ")


def test_without_a_command_there_is_help_and_the_code_for_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert call([]) == Exit.BAD_USAGE
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "no such command 'rnu'. Did you mean 'run'?; `spine-temporal --help` says how"),
        (["run", "clerk"], "missing argument 'INPUT'; `spine-temporal run --help` says how"),
        (["list", "--limit", "0"], "`spine-temporal list --help` says how"),
        (["list", "--status", "asleep"], "`spine-temporal list --help` says how"),
        (["run", "clerk", "hi", "--on-busy", "wait"], "`spine-temporal run --help` says how"),
        (["approvals", "--limit", "0"], "`spine-temporal approvals --help` says how"),
        (["key"], "missing command; `spine-temporal key --help` says how"),
        (["answer", "r"], "missing argument 'VALUE'; `spine-temporal answer --help` says how"),
        (["fork", "r"], "missing option '--step'; `spine-temporal fork --help` says how"),
        (["worker", "--project", "/no/such/folder"], "`spine-temporal worker --help` says how"),
        (["--addres", "x", "list"], "no such option: --addres"),
    ],
)
def test_bad_usage_is_one_line_with_the_next_step(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(arguments) == Exit.BAD_USAGE

    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


def test_help_imports_neither_the_sdk_nor_the_kernel() -> None:
    code = (
        "import sys; from spine_temporal.cli.main import call; call(['--help']); print(*sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert imported.isdisjoint({"temporalio", "spine_core", "pydantic", "rich", "httpx"})


@pytest.mark.parametrize("absent", ["typer", "rich"])
def test_without_the_extra_the_line_to_install_it_is_printed(absent: str) -> None:
    code = f"import sys; sys.modules['{absent}'] = None; from spine_temporal.cli.main import main; main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == Exit.BAD_USAGE
    assert done.stderr == f"error: this command needs {absent}: pip install 'spine-temporal[cli]'\n"


def test_every_error_of_ours_has_its_exit_code() -> None:
    codes = {error.__name__: report(error("it went wrong")) for error in _below(SpineTemporalError)}

    assert codes == {
        **dict.fromkeys(("BadInput", "UnnamedAgent", "DuplicateAgent", "InputTooLarge"), Exit.BAD_USAGE),
        **dict.fromkeys(
            ("SessionBusy", "DecisionRefused", "UnknownAgent", "AgentBroken", "AgentUnavailable", "PayloadUnreadable"),
            Exit.BAD_USAGE,
        ),
        **dict.fromkeys(("PluginUnusable", "MissingExtra"), Exit.BAD_USAGE),
        **dict.fromkeys(("RunNotFound", "NotAnAgentRun"), Exit.NO_SUCH_RUN),
        **dict.fromkeys(("ConversationLost", "RunFailed"), Exit.NO_ANSWER),
        "ServerUnreachable": Exit.NO_SERVER,
    }


def test_a_line_to_type_speaks_to_the_same_server() -> None:
    server = Server(address="there:7233", namespace="a b")

    assert server.command("approve", "it's") == (
        """spine-temporal approve 'it'"'"'s' --address there:7233 --namespace 'a b'"""
    )


def test_a_bug_is_one_line_that_names_the_file_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert call_with(ZeroDivisionError("ours"), monkeypatch) == Exit.BUG

    err = capsys.readouterr().err
    (file,) = tmp_path.iterdir()
    assert err.startswith("error: ZeroDivisionError: ours; this is a bug")
    assert err == err.splitlines()[0] + "\n"
    assert str(file) in err
    assert "Traceback" in file.read_text()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(28, "No space left on device"), Exit.NO_ANSWER, "error: No space left on device\n"),
        (rpc("is not there", RPCStatusCode.UNAVAILABLE), Exit.NO_SERVER, "error: the Temporal server does not answer"),
        (
            rpc("too many", RPCStatusCode.RESOURCE_EXHAUSTED),
            Exit.NO_ANSWER,
            "error: the Temporal server says: too many",
        ),
        (rpc("who?", RPCStatusCode.UNAUTHENTICATED), Exit.BAD_USAGE, "error: the Temporal server refuses: who?"),
        (KeyboardInterrupt(), Exit.CTRL_C, ""),
    ],
)
def test_nothing_that_happens_ends_in_a_traceback(
    error: BaseException, code: Exit, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_with(error, monkeypatch) == code

    err = capsys.readouterr().err
    assert err.startswith(said)
    assert "Traceback" not in err


def test_an_error_of_several_lines_is_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call_with(BadInput("agent\n  Field 'a  b' required"), monkeypatch) == Exit.BAD_USAGE

    assert capsys.readouterr().err == "error: agent Field 'a  b' required\n"


def test_arguments_that_are_no_text_are_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["show", "\udc80"]) == Exit.BAD_USAGE

    assert capsys.readouterr().err == "error: '\\udc80' is not valid UTF-8; nothing was sent\n"


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    read, written = os.pipe()
    os.close(read)
    yield written
    os.close(written)


@pytest.mark.parametrize("arguments", [["docs"], ["docs", "operations"], ["plugins"], ["--help"]])
def test_that_nobody_reads_on_is_no_failure(arguments: list[str], unread: int) -> None:
    done = subprocess.run([_COMMAND, *arguments], stdout=unread, stderr=subprocess.PIPE, text=True, check=False)

    assert (done.returncode, done.stderr) == (Exit.DONE, "")


def test_that_nobody_reads_errors_leaves_the_exit_code(unread: int) -> None:
    assert subprocess.run([_COMMAND, "docs", "nope"], stderr=unread, check=False).returncode == Exit.BAD_USAGE


def test_what_the_encoding_lacks_is_replaced() -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}

    done = subprocess.run([_COMMAND, "docs", "operations"], capture_output=True, check=False, env=ascii_only)

    assert (done.returncode, done.stderr) == (Exit.DONE, b"")
    assert b"step 3 ? gpt-4o-mini" in done.stdout


def test_an_input_that_is_no_text_is_bad_usage() -> None:
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}

    done = subprocess.run([_COMMAND, "run", "clerk", "-"], input=b"\xff", capture_output=True, check=False, env=strict)

    assert done.returncode == Exit.BAD_USAGE
    assert done.stderr == b"error: what stdin holds is not valid UTF-8; nothing was sent\n"


def test_a_closed_stdin_holds_nothing() -> None:
    away = os.environ | {"TEMPORAL_ADDRESS": "127.0.0.1:1"}

    done = subprocess.run(["sh", "-c", f"{_COMMAND} run clerk - <&-"], capture_output=True, check=False, env=away)

    assert done.returncode == Exit.NO_SERVER


def test_completion_can_be_installed_for_the_shell_at_hand(tmp_path: Path) -> None:
    command = f"{_COMMAND} --show-completion"

    done = subprocess.run(
        ["bash", "-c", f"{command}; true"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )

    assert "_SPINE_TEMPORAL_COMPLETE=complete_bash" in done.stdout


def test_an_id_that_begins_with_a_dash_is_no_option() -> None:
    assert Server(address="there:7233").run_command("approve", "-x") == (
        "spine-temporal --address there:7233 approve -- -x"
    )


def call_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command that raises `error`; its exit code."""

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("spine_temporal.cli.runs.list_runs", broken)
    return call(["list"])


@pytest.mark.parametrize(
    ("given", "hoisted"),
    [
        (["list", "--address", "a:1", "--json"], ["--address", "a:1", "list", "--json"]),
        (["run", "x", "hi", "--namespace=n"], ["--namespace=n", "run", "x", "hi"]),
        (["run", "x", "--", "--profile", "p"], ["run", "x", "--", "--profile", "p"]),
        (["list", "--profile"], ["--profile", "list"]),
    ],
)
def test_global_options_may_stand_after_the_command(given: list[str], hoisted: list[str]) -> None:
    assert global_options_first(given) == hoisted


def _below(error: type[SpineTemporalError]) -> list[type[SpineTemporalError]]:
    direct = error.__subclasses__()
    return direct + [each for below in direct for each in _below(below)]
