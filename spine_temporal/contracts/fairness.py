"""Temporal's fairness key of a tenant: with it, a server shares workers out among tenants."""

from hashlib import blake2b
from typing import Final

_MOST_BYTES: Final = 64
"""A longer fairness key is an error (https://docs.temporal.io/task-queue-priority-fairness)."""


def fairness_key(tenant_id: str) -> str:
    """The tenant's id; of one that is too long, a digest of it."""
    if len(tenant_id.encode()) <= _MOST_BYTES:
        return tenant_id
    return blake2b(tenant_id.encode(), digest_size=16).hexdigest()
