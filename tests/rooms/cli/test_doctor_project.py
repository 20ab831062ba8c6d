"""What `doctor` finds of a project's agents."""

import pytest
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text
from spine_otel import OTelMiddleware

from spine_temporal.cli.doctor_finding import Level
from spine_temporal.cli.doctor_project import _agents
from spine_temporal.plugins import requirements
from spine_temporal.plugins.project_agents import Found


async def test_the_package_that_an_agents_provider_lacks_is_found_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no-secret")
    monkeypatch.setattr(requirements, "version_of", lambda name: "" if name == "openai" else "1.0")
    found = Found("assistant", Agent("openai:gpt-4o-mini"), "agents/assistant.py")

    findings = [each async for each in _agents("agents", lambda: [found], {}, [])]

    lacking = findings[-1]
    assert (lacking.level, lacking.what) == (Level.FIX, "agent assistant")
    assert lacking.text == "its provider, of spinekit, needs openai, which is not installed"
    assert lacking.fix == "`pip install 'spinekit[openai]'`"


async def test_an_agent_with_spines_own_spans_is_found_with_what_replaces_them() -> None:
    plain = Agent(ScriptedProvider(text("well")))
    watched = Agent(ScriptedProvider(text("well")), middleware=[OTelMiddleware()])
    found = [Found("plain", plain, "agents/plain.py"), Found("watched", watched, "agents/watched.py")]

    findings = [each async for each in _agents("agents", lambda: found, {}, [])]

    [one] = [each for each in findings if "OTelMiddleware" in each.text]
    assert (one.level, one.what) == (Level.NOTE, "agent watched")
    assert "invoke_agent, chat and execute_tool replace its spine.run, spine.model and spine.tool.*" in one.text
