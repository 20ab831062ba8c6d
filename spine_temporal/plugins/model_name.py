"""What a provider calls the model that it asks."""

import inspect
from typing import Final

from spine_temporal.contracts.json_form import readable
from spine_temporal.format import shortened
from spine_temporal.plugins.deferred import DeferredProvider

_WIDEST: Final = 80


def model_of(provider: object) -> str:
    """The model's name, shortened, if the provider says it as spine's own do; empty: it does not."""
    if isinstance(provider, DeferredProvider):
        provider = provider.provider()
    # Not asked for: a property would run code of the user's here, which may raise.
    model = inspect.getattr_static(provider, "model", None)
    return shortened(readable(model), _WIDEST) if isinstance(model, str) else ""
