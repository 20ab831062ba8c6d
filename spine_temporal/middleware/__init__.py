"""Middleware whose state is kept in Temporal: it holds over workers, crashes, weeks.

Importing this registers `DurableTenantBudget`, `DurableIdempotency` and `DurableRateLimit` for a `spine.toml` chain;
temporalio is imported when one of them is first used.
"""

from spine_core import register_middleware

from spine_temporal.middleware.idempotency import Idempotency
from spine_temporal.middleware.rate_limit import RateLimit
from spine_temporal.middleware.tenant_budget import TenantBudget

__all__ = ["Idempotency", "RateLimit", "TenantBudget"]

register_middleware("DurableIdempotency", Idempotency)
register_middleware("DurableRateLimit", RateLimit)
register_middleware("DurableTenantBudget", TenantBudget)
