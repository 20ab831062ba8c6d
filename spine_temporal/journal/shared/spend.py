"""What several workers have spent together."""

from typing import Final

from spine_temporal.contracts.shared_limits import BudgetState, Charge

# A charge arrives twice only when its request was repeated, which is over within seconds.
_REMEMBERED: Final = 500


def charged(spent: BudgetState, charge: Charge) -> BudgetState:
    """The sum with that charge in it, once."""
    if charge.id in spent.recent:
        return spent
    return BudgetState(
        cost_usd=spent.cost_usd + charge.cost_usd,
        tokens=spent.tokens + charge.tokens,
        recent=(*spent.recent, charge.id)[-_REMEMBERED:],
    )
