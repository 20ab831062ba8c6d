"""The demo agent."""

import os
import sysconfig
from pathlib import Path

from spine_core import Agent, Guards

from spine_temporal.demo.folder import Folder
from spine_temporal.demo.tools import reading_tools

MAX_STEPS = 24

_SYSTEM = """\
You answer questions about the source code in one folder. You cannot see it except through your tools.

- List the files, then search with grep. Search for code that does the thing, not for the word alone.
- A line that grep shows is not yet evidence: read around it with read_file, as it may stand in a docstring.
- When a search shows too much, narrow it; when it shows nothing, widen it.
- Answer with the modules, each with its evidence as path:line. Name only lines you have seen in a tool's result.
- Say what you did not or could not check.
"""


def demo_agent(folder: Path, model: str | None = None) -> Agent:
    """An agent named "reader" that answers questions about `folder`, which it can only read.

    Without `model` it is OpenAI's or Anthropic's when their key is in the environment, else "offline:planner", which
    needs neither a key nor a network.
    """
    return Agent(
        model or _model_at_hand(),
        tools=reading_tools(Folder(folder)),
        guards=Guards(max_steps=MAX_STEPS),
        system=_SYSTEM,
        name="reader",
    )


def default_folder() -> Path:
    """The standard library of the running interpreter."""
    return Path(sysconfig.get_path("stdlib"))


def _model_at_hand() -> str:
    if os.environ.get("OPENAI_API_KEY"):
        return "openai:gpt-4o-mini"
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic:claude-sonnet-4-6"
    return "offline:planner"
