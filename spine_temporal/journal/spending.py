"""What several workers have spent together."""

from typing import Final

from spine_temporal.contracts.guarding import Charge, Spent

# A charge is told twice only when its request was repeated, which is over within seconds.
_REMEMBERED: Final = 500


def charged(spent: Spent, charge: Charge) -> Spent:
    """The sum with that charge in it, once."""
    if charge.id in spent.recent:
        return spent
    return Spent(
        cost_usd=spent.cost_usd + charge.cost_usd,
        tokens=spent.tokens + charge.tokens,
        recent=(*spent.recent, charge.id)[-_REMEMBERED:],
    )
