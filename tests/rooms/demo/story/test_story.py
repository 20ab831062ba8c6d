"""`spine-temporal demo`, as a newcomer runs it."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from spine_temporal.demo.offline import THINK_ENV
from tests.support.soak import in_soak

pytestmark = pytest.mark.durable

_MARK: Final = "SPINE_TEMPORAL_TEST_STORY"
_KEYS: Final = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_BOUND_S: Final = 100.0
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Story:
    """A demo that runs. Everything it starts carries its mark in the environment."""

    def __init__(self, place: Path, *options: str, terminal: bool = False) -> None:
        self._mark = uuid.uuid4().hex
        kept = {name: value for name, value in os.environ.items() if name not in _KEYS}
        read, write = pty.openpty() if terminal else os.pipe()
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("spine-temporal"), "demo", "code", *options],
            cwd=place,
            env=kept | {_MARK: self._mark, THINK_ENV: "0.8", "TERM": "xterm", "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=write,
        )
        os.close(write)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, args=[read])
        self._reader.start()

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return _ESCAPES.sub("", self._written.decode(errors="replace"))

    def end(self) -> int:
        code = self._process.wait(timeout=_BOUND_S)
        self._reader.join(timeout=_BOUND_S)
        return code

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def until(self, said: str) -> None:
        self._wait(lambda: said in self.text, said)

    def is_gone(self) -> bool:
        """Wait until nothing lives that it started."""
        self._wait(lambda: not self.living(), "nothing lives")
        return True

    def slay(self) -> None:
        for process in self.living():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.end()

    def living(self) -> list[psutil.Process]:
        """The processes that carry its mark."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        give_up_s = time.monotonic() + _BOUND_S
        while not condition():
            assert time.monotonic() < give_up_s, f"waited in vain for {what!r}; it printed:\n{self.text}"
            time.sleep(0.05)

    def _read(self, read: int) -> None:
        with contextlib.suppress(OSError):  # a terminal ends with an error
            while data := os.read(read, 65_536):
                self._written += data
        os.close(read)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Story]]:
    """Starts stories, each in the folder of that name, where a little code is; at the end none is left."""
    started: list[Story] = []

    def start(place: str, *options: str, terminal: bool = False) -> Story:
        folder = tmp_path_factory.getbasetemp() / f"story-{place}"
        code = folder / "code"
        code.mkdir(parents=True, exist_ok=True)
        (code / "net.py").write_text("import socket\n\n\ndef dial():\n    return socket.socket()\n")
        (code / "data.py").write_text("import json\n\n\ndef parse(text):\n    return json.loads(text)\n")
        started.append(Story(folder, *options, terminal=terminal))
        return started[-1]

    yield start
    for story in started:
        story.slay()


@pytest.fixture(scope="module")
def new(stories: Callable[..., Story]) -> Story:
    """A story in a new folder; others are told meanwhile."""
    return stories("new")


@pytest.fixture(scope="module")
def broken_off(new: Story, stories: Callable[..., Story]) -> dict[str, tuple[Story, signal.Signals]]:
    """Stories told at once, each broken off in another act by another signal."""
    broken = {}
    for name, number, said in (
        ("Ctrl-C", signal.SIGINT, "worker-1   2  "),
        ("SIGTERM", signal.SIGTERM, "is dead, in the middle of step"),
        ("SIGKILL", signal.SIGKILL, "worker-1   1  "),
    ):
        broken[name] = stories(name), number, said
    for story, number, said in broken.values():
        story.until(said)
        story.send(number)
    return {name: (story, number) for name, (story, number, _) in broken.items()}


@pytest.fixture(scope="module")
def again(broken_off: dict[str, tuple[Story, signal.Signals]], stories: Callable[..., Story]) -> Story:
    """A story told to a terminal, in a folder where one was broken off before."""
    broken_off["Ctrl-C"][0].end()
    return stories("Ctrl-C", terminal=True)


@pytest.mark.parametrize("name", ["Ctrl-C", "SIGTERM", "SIGKILL"])
def test_story_that_is_broken_off_leaves_no_process(
    broken_off: dict[str, tuple[Story, signal.Signals]], name: str
) -> None:
    story, number = broken_off[name]

    assert story.end() == (-number if number == signal.SIGKILL else 128 + number)
    assert story.is_gone()


@pytest.mark.soak
def test_worker_that_ends_by_itself_ends_the_story(again: Story, stories: Callable[..., Story]) -> None:
    story = stories("lost")
    story.until("worker-1   1  ")

    for process in story.living():
        if "spine_temporal.demo.story.worker" in process.cmdline():
            process.kill()

    assert story.end() == 1
    assert "error: worker-1 ended by itself" in story.text
    assert story.is_gone()


@pytest.mark.parametrize("name", [in_soak("again"), "new"])
def test_story_shows_the_kill_and_proves_that_nothing_ran_twice(request: pytest.FixtureRequest, name: str) -> None:
    story: Story = request.getfixturevalue(name)

    assert story.end() == 0, story.text
    words = " ".join(story.text.split())
    killed = re.search(r"kill -9 \d+: worker-1 is dead, in the middle of step (\d)", words)
    assert killed
    assert re.search(rf"worker-2 takes step {killed[1]} over, [\d.]+ s after the kill", words)
    assert re.search("[-•] net: net.py:5", words)
    assert words.count("✓") == 4
    assert "✗" not in words
    assert "None of them was started again after it had finished." in words
    assert "attempt 1 ended with “activity Heartbeat timeout”, attempt 2 completed on worker-2" in words
    assert story.is_gone()


def test_story_is_shown_in_the_order_in_which_it_happened(new: Story) -> None:
    new.end()

    times = [float(line[:7]) for line in new.text.splitlines() if re.match(r" {1,4}\d+\.\d  ", line)]
    assert times == sorted(times)
    assert len(times) > 10


def test_no_line_is_wider_than_the_terminal(new: Story) -> None:
    new.end()

    assert [line for line in new.text.splitlines() if len(line) > 80] == []
