"""What the story is about, checked before anything is started."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from spine_core import Provider
from spine_core.errors import SpineError

from spine_temporal.demo.agent import demo_agent
from spine_temporal.demo.offline import THINK_ENV, OfflineProvider
from spine_temporal.errors import BadInput, MissingExtra

_THINK_S: Final = 3.0
# For 10 s after a worker's last poll the server offers it the next decision first, for 5 s. So late in a step that is
# over by the time another worker has done the step.
_SHARE_BEFORE_KILL: Final = 0.7
_KEYS: Final = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


@dataclass(frozen=True, slots=True)
class KillPlan:
    """When the first worker is killed: inside the first step from `step` on, once that is `age_s` old."""

    step: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Settings:
    """A question about a folder, with the model that answers it."""

    folder: Path
    question: str
    model: str
    """As `demo_agent` takes it; empty: the one at hand."""
    model_text: str
    """The same for people."""
    kill: KillPlan
    environment: dict[str, str]
    """The environment of the workers."""


def settings_of(folder: Path, question: str, model: str | None) -> Settings:
    """Settings with which the story can be run.

    Raises:
        BadInput: there is no such folder or model, or the question is empty.
        MissingExtra: the SDK of the model is not installed.
    """
    if not question.strip():
        raise BadInput("the question is empty; ask for example: --question 'which modules open sockets?'")
    try:
        provider = demo_agent(folder, model).provider
    except (OSError, SpineError, ValueError) as error:
        raise BadInput(str(error)) from error
    if isinstance(provider, OfflineProvider):
        environment = {THINK_ENV: str(_THINK_S), **os.environ}
        text = f"offline:{provider.model}, which plans by rules; it needs no key, no network"
        return Settings(
            folder.resolve(),
            question,
            model or "",
            text,
            KillPlan(4, float(environment[THINK_ENV]) * _SHARE_BEFORE_KILL),
            environment,
        )
    return Settings(folder.resolve(), question, model or "", _model_text(provider), KillPlan(2, 0.0), dict(os.environ))


def _model_text(provider: Provider) -> str:
    vendor = type(provider).__name__.removesuffix("Provider").lower()
    if vendor in _KEYS and find_spec(vendor) is None:
        raise MissingExtra(
            f"{_KEYS[vendor]} is set, but its SDK is not installed: pip install 'spine-temporal[{vendor}]', "
            "or take --model offline:planner"
        )
    return f"{vendor}:{getattr(provider, 'model', '')}; it is sent what the tools read"
