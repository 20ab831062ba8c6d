"""The kernel asks us for each name that it looks up: this fails when spinekit keeps its registries otherwise."""

from typing import Any

import pytest
from spine_core import provider, registry
from spine_core.errors import SpineError
from spine_core.testing import ScriptedProvider

from spine_temporal.kernel import registries
from spine_temporal.kernel.registries import Kind

RESOLVE: dict[Kind, Any] = {
    Kind.PROVIDER: provider.resolve_provider,
    Kind.MIDDLEWARE: registry.resolve_middleware,
    Kind.CHECKPOINT: registry.resolve_checkpoint,
    Kind.MEMORY: registry.resolve_memory,
}
REGISTER: dict[Kind, Any] = {
    Kind.PROVIDER: provider.register_provider,
    Kind.MIDDLEWARE: registry.register_middleware,
    Kind.CHECKPOINT: registry.register_checkpoint,
    Kind.MEMORY: registry.register_memory,
}
LISTED: dict[Kind, Any] = {
    Kind.MIDDLEWARE: registry.list_middleware,
    Kind.CHECKPOINT: registry.list_checkpoints,
    Kind.MEMORY: registry.list_memories,
}


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, attribute in ((provider, "_REGISTRY"), *((registry, f"_{kind.upper()}") for kind in LISTED)):
        monkeypatch.setattr(module, attribute, dict(getattr(module, attribute)))


@pytest.mark.parametrize("kind", Kind)
def test_the_kernel_makes_what_the_finder_returns(kind: Kind) -> None:
    made, asked = ScriptedProvider(), list[tuple[Kind, str]]()

    def finder(kind: Kind, name: str) -> registries.Factory:
        asked.append((kind, name))
        return lambda *_: made

    registries.ask(finder)

    assert RESOLVE[kind]("unheard-of") is made
    assert asked == [(kind, "unheard-of")]


@pytest.mark.parametrize("kind", Kind)
def test_what_the_finder_raises_comes_out_of_the_kernel(kind: Kind) -> None:
    def finder(_: Kind, name: str) -> registries.Factory:
        raise SpineError(f"no {name}")

    registries.ask(finder)

    with pytest.raises(SpineError, match="no unheard-of"):
        RESOLVE[kind]("unheard-of")


@pytest.mark.parametrize("kind", Kind)
def test_what_is_registered_before_and_after_is_known(kind: Kind) -> None:
    REGISTER[kind]("before", ScriptedProvider)
    registries.ask(lambda *_: ScriptedProvider)
    REGISTER[kind]("after", ScriptedProvider)

    assert {"before", "after"} <= set(registries.names(kind))
    assert registries.factory(kind, "after") is ScriptedProvider
    assert registries.factory(kind, "unheard-of") is None
    assert kind is Kind.PROVIDER or LISTED[kind]() == registries.names(kind)


def test_asking_again_replaces_the_finder() -> None:
    registries.ask(lambda *_: ScriptedProvider)
    second = ScriptedProvider()
    registries.ask(lambda *_: lambda _: second)

    assert provider.resolve_provider("unheard-of:x") is second
