"""What the story leaves on the terminal."""

import pytest

from spine_temporal.demo.story.screen import Screen


def test_a_long_answer_leaves_room_for_the_proof(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().answer("\n".join(f"- module {number}" for number in range(70)), ".spine/demo-answer.md")

    shown = capsys.readouterr().out
    assert next(line.strip() for line in shown.splitlines() if "module" in line) == "- module 0"
    assert len(shown.splitlines()) < 20
    assert "60 more lines: .spine/demo-answer.md" in shown


def test_a_short_answer_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().answer("net.py opens one.", ".spine/demo-answer.md")

    shown = capsys.readouterr().out
    assert "net.py opens one." in shown
    assert "more lines" not in shown
