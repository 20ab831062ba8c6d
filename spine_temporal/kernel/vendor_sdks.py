"""The vendors' SDKs behind spine's adapters, which try a request again by themselves.

Three times, by default, within one attempt of ours: ten attempts would be thirty requests, and the pauses of the
attempts, which outlive the worker, would be mixed with some that do not.
"""

import copy
from typing import Any, Final
from weakref import WeakKeyDictionary

_ADAPTERS: Final = frozenset({"spine_providers.anthropic.AnthropicProvider", "spine_providers.openai.OpenAIProvider"})
_once: Final[WeakKeyDictionary[Any, tuple[Any, Any]]] = WeakKeyDictionary()


def asking_once(provider: Any) -> Any:
    """An adapter like `provider` whose SDK sends each request once; `provider` itself, if it is none of spine's own.

    Both share their connections.

    Raises:
        Exception: the SDK is not installed, or lacks its key, as the adapter's first request would.
    """
    kind = type(provider)
    if f"{kind.__module__}.{kind.__qualname__}" not in _ADAPTERS:
        return provider
    sdk = provider._ensure_client()  # noqa: SLF001
    if not getattr(sdk, "max_retries", 0) or not hasattr(sdk, "with_options"):
        # It sends each request once already, or somebody's own client stands there.
        return provider
    known = _once.get(provider)
    if known is None or known[0] is not sdk:
        quiet = copy.copy(provider)
        quiet._client = sdk.with_options(max_retries=0)  # noqa: SLF001
        known = _once[provider] = sdk, quiet
    return known[1]
