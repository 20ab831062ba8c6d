"""Plugins are found when an agent needs them, whatever their entry points are called."""

import pytest

from tests.rooms.plugins.conftest import Python

ACME = {"ACME_URL": "http://127.0.0.1:1", "ACME_API_KEY": "k"}
PLUGINS = "sorted(name for name in sys.modules if name.startswith('spine_') and '.' not in name)"
PROLOGUE = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
from spine_core import Agent
from spine_temporal.plugins import loader
loader.let_the_kernel_find_plugins()
"""
SAID = """
def said(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


def test_a_scheme_is_found_whatever_the_entry_point_is_called(python: Python) -> None:
    code = f"{PROLOGUE}\nprint(type(loader.provider_of('acme', 'some-model')).__name__, {PLUGINS})"

    assert python(code, **ACME) == "AcmeProvider ['spine_core', 'spine_provider_acme', 'spine_temporal']"


def test_an_agent_that_is_made_before_its_worker_has_its_provider_in_the_worker(python: Python) -> None:
    code = """
import sys
from spine_core import Agent
from spine_temporal import AgentWorker
from spine_temporal.agents.registry import AgentRegistry
agent = Agent("acme:some-model", name="clerk")
print(type(agent.provider).__name__, "spine_provider_acme" in sys.modules)
AgentRegistry([agent])
print(type(agent.provider).__name__)
"""
    assert python(code, **ACME).splitlines() == ["DeferredProvider False", "AcmeProvider"]


def test_an_agent_that_is_made_before_its_worker_and_not_allowed_there_imports_nothing(python: Python) -> None:
    code = f"""
import sys
from spine_core import Agent
from spine_temporal import AgentWorker
from spine_temporal.agents.registry import AgentRegistry
{SAID}
agent = Agent("acme:some-model", name="clerk")
print(said(lambda: AgentRegistry([agent], allowed_plugins=["other"])))
print("spine_provider_acme" in sys.modules)
"""
    refused, imported = python(code, **ACME).splitlines()
    assert refused == (
        "PluginUnusable: agent 'clerk' cannot have its model: no plugin registers scheme 'acme', and what looks like "
        "it cannot be used: spine-provider-acme is not on the list of allowed plugins, which has: other"
    )
    assert imported == "False"


def test_what_a_middleware_holds_and_is_not_allowed_is_refused_when_the_worker_starts(python: Python) -> None:
    code = f"""
import sys
from spine_core import Agent
from spine_core.provider import resolve_provider
from spine_core.testing import ScriptedProvider, text
from spine_middleware import ModelFallback
from spine_temporal import AgentWorker
from spine_temporal.agents.registry import AgentRegistry
{SAID}
fallback = ModelFallback(resolve_provider("acme:some-model"))
agent = Agent(ScriptedProvider(text("x")), middleware=[fallback], name="clerk")
print(said(lambda: AgentRegistry([agent], allowed_plugins=[])))
print("spine_provider_acme" in sys.modules)
"""
    refused, imported = python(code, **ACME).splitlines()
    assert "spine-provider-acme is not on the list of allowed plugins" in refused
    assert imported == "False"


def test_an_agent_without_a_worker_imports_its_provider_when_it_asks_the_model(python: Python) -> None:
    code = """
from spine_core import Agent
from spine_temporal import AgentWorker
agent = Agent("acme:some-model")
print("connect" in (agent.run_sync("hello").error or "").lower(), type(agent.provider.provider()).__name__)
"""
    assert python(code, **ACME) == "True AcmeProvider"


def test_a_scheme_that_no_plugin_looks_like_is_answered_with_what_may_be_imported(python: Python) -> None:
    code = f"{PROLOGUE}\n{SAID}\nprint(said(lambda: Agent('nowhere:some-model')), {PLUGINS})"

    told = python(code)
    assert "no plugin registers scheme 'nowhere'; " in told
    assert "import that first: " in told
    assert "`import spine_provider_acme`" in told
    assert told.endswith("['spine_core', 'spine_temporal']")


@pytest.mark.parametrize("place", ["a tool", "a hook", "the provider", "a thread"])
def test_what_is_not_allowed_is_refused_wherever_in_the_worker_an_agent_is_made(python: Python, place: str) -> None:
    code = f"""
import asyncio, sys, threading
from spine_core import Agent, Middleware, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_temporal.agents.registry import AgentRegistry
{SAID}
refused = []
def make():
    refused.append(said(lambda: Agent("acme:some-model")))
@tool
def hire() -> str:
    if {place!r} == "a tool":
        make()
    if {place!r} == "a thread":
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
    return "done"
class Hiring(Middleware):
    async def before_model(self, ctx):
        if {place!r} == "a hook":
            make()
class Model(ScriptedProvider):
    async def complete(self, *args, **kwargs):
        if {place!r} == "the provider":
            make()
        return await super().complete(*args, **kwargs)
model = Model(calls(("hire", {{}})), text("done"))
registry = AgentRegistry([Agent(model, tools=[hire], middleware=[Hiring()], name="boss")], allowed_plugins=[])
async def run():
    return await (await registry.get("boss")).run("go")
print(asyncio.run(run()).answer, set(refused), "spine_provider_acme" in sys.modules)
"""
    told = python(code, **ACME)
    assert told.startswith("done {\"ProviderError: no plugin registers scheme 'acme'")
    assert "spine-provider-acme is not on the list of allowed plugins" in told
    assert told.endswith(" False")


def test_what_is_imported_by_hand_and_not_allowed_is_refused_by_its_scheme(python: Python) -> None:
    code = f"""{PROLOGUE}{SAID}
import spine_provider_acme
from spine_temporal.agents.registry import AgentRegistry
registry = AgentRegistry([], allowed_plugins=[])
print(said(lambda: Agent("acme:some-model")))
del registry
print(type(Agent("acme:some-model").provider).__name__)
"""
    refused, afterwards = python(code, **ACME).splitlines()
    assert refused.startswith("ProviderError: scheme 'acme' cannot be used: spine-provider-acme is not on the list")
    assert afterwards == "AcmeProvider"


@pytest.mark.parametrize(
    ("look", "made"),
    [
        ("spine_core.resolve_middleware('Stopwatch')", "Stopwatch"),
        ("spine_core.registry.resolve_checkpoint('folder', folder='.')", "FolderCheckpoint"),
        ("spine_core.registry.resolve_memory('notes', file='notes')", "Notes"),
    ],
)
def test_the_kernels_own_functions_find_what_spine_toml_finds(python: Python, look: str, made: str) -> None:
    code = f"{PROLOGUE}\nimport spine_core\nprint(type({look}).__name__)"

    assert python(code).startswith(made)


def test_the_kernel_alone_does_not_find_it(python: Python) -> None:
    code = f"from spine_core import Agent\n{SAID}\nprint(said(lambda: Agent('acme:some-model')))"

    assert "no provider registered for scheme 'acme'" in python(code, **ACME)


@pytest.mark.parametrize(
    ("look", "imported"),
    [
        ("loader.middleware('Stopwatch')", "spine_mw_stopwatch"),
        ("loader.checkpoint('folder', folder='.')", "spine_backend_folder"),
        ("loader.memory('notes', file='notes')", "spine_backend_folder"),
    ],
)
def test_only_what_bears_or_looks_like_the_name_is_imported(python: Python, look: str, imported: str) -> None:
    code = f"{PROLOGUE}\n{look}\nprint({PLUGINS})"

    assert python(code) == str(sorted(["spine_core", "spine_temporal", imported]))


def test_the_one_that_bears_the_name_is_imported_before_those_that_look_like_it(python: Python) -> None:
    code = f"{PROLOGUE}\nAgent('openai:gpt-4o-mini')\nprint({PLUGINS}, 'spine_providers.anthropic' in sys.modules)"

    # The kernel's own package of adapters registers both.
    assert python(code) == "['spine_core', 'spine_providers', 'spine_temporal'] True"


def test_a_name_that_nothing_looks_like_is_looked_for_in_all_that_can_be_imported(python: Python) -> None:
    code = f"{PROLOGUE}\n{SAID}\nprint(said(lambda: loader.middleware('Stopwtach')))"

    broken, told = python(code).splitlines()
    assert broken == (
        "WARNING plugin 'mw_broken' of spine-mw-broken 1.0.0 cannot be imported (RuntimeError: the flux capacitor is "
        "missing); agents that do not use it are not affected"
    )
    assert told == (
        "PluginUnusable: no plugin registers middleware 'Stopwtach'; did you mean 'Stopwatch'?; not looked into: "
        "spine-mw-antique, spine-mw-broken, `spine-temporal plugins --load` says why"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Broken", "spine-mw-broken 1.0.0 cannot be imported (RuntimeError: the flux capacitor is missing)"),
        ("Antique", "spine-mw-antique 1.0.0 works with spinekit<0.3,>=0.1, installed is spinekit 0.3.0"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_refused_when_it_is_needed(python: Python, name: str, why: str) -> None:
    code = f"{PROLOGUE}\nlogging.disable()\n{SAID}\nprint(said(lambda: loader.middleware({name!r})))"

    assert python(code) == (
        f"PluginUnusable: no plugin registers middleware {name!r}, and what looks like it cannot be used: {why}"
    )


def test_a_plugin_that_does_not_fit_is_refused_also_where_code_imports_it(python: Python) -> None:
    code = f"""{PROLOGUE}{SAID}
from spine_mw_antique import Antique
from spine_core.testing import ScriptedProvider, text
from spine_temporal.agents.registry import AgentRegistry
print(said(lambda: AgentRegistry([Agent(ScriptedProvider(text("x")), middleware=[Antique()], name="clerk")])))
"""
    assert python(code) == (
        "PluginUnusable: agent 'clerk' cannot use what spine_mw_antique has: "
        "spine-mw-antique 1.0.0 works with spinekit<0.3,>=0.1, installed is spinekit 0.3.0"
    )


def test_nothing_is_imported_that_the_environment_does_not_allow(python: Python) -> None:
    code = f"""{PROLOGUE}{SAID}
print(type(loader.middleware("Stopwatch")).__name__, {PLUGINS})
print(said(lambda: Agent("acme:some-model")))
"""
    allowed, refused = python(code, SPINE_TEMPORAL_ALLOWED_PLUGINS="Spine_MW.stopwatch, other", **ACME).splitlines()
    assert refused == (
        "ProviderError: no plugin registers scheme 'acme', and what looks like it cannot be used: "
        "spine-provider-acme is not on the list of allowed plugins, which has: other, spine-mw-stopwatch"
    )
    assert allowed == "Stopwatch ['spine_core', 'spine_mw_stopwatch', 'spine_temporal']"


def test_code_narrows_what_is_allowed_and_does_not_widen_it(python: Python) -> None:
    code = f"""{PROLOGUE}{SAID}
from spine_mw_stopwatch import Stopwatch
from spine_core.testing import ScriptedProvider, text
from spine_temporal.agents.registry import AgentRegistry
agents = [Agent(ScriptedProvider(text("x")), middleware=[Stopwatch()], name="clerk")]
print(AgentRegistry(agents, allowed_plugins=["spine-mw-stopwatch"]).names)
print(said(lambda: AgentRegistry(agents, allowed_plugins=[])))
import os
os.environ["SPINE_TEMPORAL_ALLOWED_PLUGINS"] = "other"
print(said(lambda: AgentRegistry(agents, allowed_plugins=["spine-mw-stopwatch"])))
"""
    fits, narrowed, bounded = python(code).splitlines()
    assert fits == "['clerk']"
    assert narrowed.endswith("not on the list of allowed plugins, which has: none but spinekit's own")
    assert bounded.endswith("not on the list of allowed plugins, which has: none but spinekit's own")


def test_an_agent_is_served_by_what_it_is_made_of(python: Python) -> None:
    code = f"""{PROLOGUE}
from spine_adapter_abacus import Abacus
from spine_middleware import MemoryRecall
from spine_temporal.plugins.usage import serving
memory = loader.memory("notes", file="notes")
from spine_temporal.agents.registry import AgentRegistry
agent = Agent("acme:x", tools=Abacus().tools(), middleware=[MemoryRecall(memory)], name="clerk")
AgentRegistry([agent])
print(*serving(agent))
"""
    assert python(code, **ACME).split() == [
        "spine-adapter-abacus",
        "spine-backend-folder",
        "spine-provider-acme",
        "spine-temporal",
        "spinekit",
    ]


def test_our_own_plugins_are_listed_by_spine_and_cost_little(python: Python) -> None:
    code = """
import sys
from spine_cli.plugins import discover
print(*sorted(info.name for info in discover() if info.module.startswith("spine_temporal")))
from importlib.metadata import entry_points
for entry_point in entry_points(group="spine.plugins"):
    if entry_point.name.startswith("mw_durable"):
        entry_point.load()
from spine_core import list_middleware
print([name for name in list_middleware() if name.startswith("Durable")], "temporalio" in sys.modules)
"""
    listed, registered = python(code).splitlines()
    assert listed == ("backend_temporal mw_durable_idempotency mw_durable_rate_limit mw_durable_tenant_budget offline")
    assert registered == "['DurableIdempotency', 'DurableRateLimit', 'DurableTenantBudget'] False"
