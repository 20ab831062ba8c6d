"""Whose a provider is, in the words of the GenAI conventions."""

from typing import Final

from spine_temporal.plugins.deferred import DeferredProvider

# Of spine's own adapters; their words are those of the conventions.
_NAMES: Final = {"spine_providers.openai": "openai", "spine_providers.anthropic": "anthropic"}
_SUFFIX: Final = "provider"


def provider_name(provider: object) -> str:
    """The name of a provider; of one that is nobody's we know, its class's, without "Provider"."""
    if isinstance(provider, DeferredProvider):
        provider = provider.provider()
    known = _NAMES.get(type(provider).__module__)
    own = type(provider).__name__.lower()
    return known or own.removesuffix(_SUFFIX) or own
