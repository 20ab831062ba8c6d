"""What the story may be about."""

from pathlib import Path

import pytest

from spine_temporal.demo.offline import THINK_ENV
from spine_temporal.demo.story.settings import settings_of
from spine_temporal.errors import BadInput, MissingExtra


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", THINK_ENV):
        monkeypatch.delenv(name, raising=False)


def test_offline_model_thinks_long_enough_to_be_killed_inside_a_step(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "which?", None)

    assert 1.0 < settings.kill.age_s < float(settings.environment[THINK_ENV])
    assert settings.model_text.startswith("offline:planner")


def test_real_model_is_not_slowed_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    settings = settings_of(tmp_path, "which?", None)

    assert THINK_ENV not in settings.environment
    assert settings.kill.age_s == 0.0
    assert settings.model_text.startswith("openai:")


@pytest.mark.parametrize(
    ("folder", "question", "model", "told"),
    [
        ("otter", "which?", None, "is no folder"),
        (".", " ", None, "the question is empty"),
        (".", "which?", "otter:1", "scheme 'otter'"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_started(
    tmp_path: Path, folder: str, question: str, model: str | None, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        settings_of(tmp_path / folder, question, model)


def test_key_of_a_model_whose_sdk_is_not_installed_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setattr("spine_temporal.demo.story.settings.find_spec", lambda _: None)

    with pytest.raises(MissingExtra, match=r"pip install 'spine-temporal\[openai\]', or take --model offline:planner"):
        settings_of(tmp_path, "which?", None)
