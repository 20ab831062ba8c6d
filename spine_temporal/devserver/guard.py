"""A process that ends the dev server when its owner has ended.

Run by path as `python -I -S guard.py GRACE_SECONDS COMMAND...`, hence nothing but the standard library:

- stdin: `t` asks the server to end (SIGTERM) and kills it GRACE_SECONDS later; `k` or end of file kills it at once
- stdout: the server's process id, one line
- stderr: the log file, which the server writes to as well, locked while either of them lives

Why a process and a pipe: the owner's end of the pipe closes however the owner dies, SIGKILL included, on every POSIX
system. `PR_SET_PDEATHSIG` set by the owner would need a `preexec_fn`, unsafe beside its threads, and fires when the
*thread* that started the server ends. In here there is one thread, so it is exact, and it covers the guard's own death.
"""

import contextlib
import fcntl
import math
import os
import select
import signal
import sys
import time

LOCK_WAIT_S = 1.0  # an owner that was just killed leaves its server a few milliseconds to live
LOG_LIMIT_BYTES = 1_000_000
LOOK_EVERY_S = 0.5


def main(grace_s: float, command: list[str]) -> int:
    """Run `command` until it ends, is asked to, or has lost its owner; give its exit code."""
    owner = os.getppid()
    _lock_log()
    woken = _signals_as_bytes()
    server = _spawn(command)
    os.write(1, b"%d\n" % server)
    return _watch(server, owner, woken, grace_s)


def _lock_log() -> None:
    # Temporal itself lets a second server onto the same SQLite file, where the two fight over the shards.
    give_up_at = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(2, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                sys.exit(os.EX_TEMPFAIL)
            time.sleep(0.02)
    if os.fstat(2).st_size > LOG_LIMIT_BYTES:
        os.ftruncate(2, 0)


def _signals_as_bytes() -> int:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return woken


def _spawn(command: list[str]) -> int:
    guard = os.getpid()
    server = os.fork()
    if server:
        return server
    try:
        _die_with_parent()
        if os.getppid() == guard:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"Error: cannot run {command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):  # a Python without ctypes still has the pipe
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _watch(server: int, owner: int, woken: int, grace_s: float) -> int:
    kill_at = math.inf
    while True:
        ended, status = os.waitpid(server, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        readable = select.select([0, woken], [], [], LOOK_EVERY_S)[0]
        order = os.read(0, 1) if 0 in readable else None
        signals = os.read(woken, 64) if woken in readable else b""
        if kill_at == math.inf and (order == b"t" or signal.SIGTERM in signals):
            os.kill(server, signal.SIGTERM)
            kill_at = time.monotonic() + grace_s
        # A child that the owner forked keeps the pipe open after the owner's death, so the parent is looked at too.
        if order in (b"k", b"") or os.getppid() != owner or time.monotonic() > kill_at:
            os.kill(server, signal.SIGKILL)
            _, status = os.waitpid(server, 0)
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]) % 256)
