"""Which runs a command is about, as it is typed: `--tenant acme --min-cost 1 --since 7d`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from spine_temporal.cli.options import Status
from spine_temporal.errors import BadInput

if TYPE_CHECKING:
    from spine_temporal.client.run_filter import RunFilter

InStatus = Annotated[Status | None, typer.Option("--status", help="In this state only.")]
OfTenant = Annotated[str | None, typer.Option("--tenant", metavar="TENANT", help="Of this tenant only.")]
MinCost = Annotated[
    float | None, typer.Option("--min-cost", metavar="USD", min=0, max=1e9, help="That cost as much, or more.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", metavar="USD", min=0, max=1e9, help="That cost as much, or less.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="AGE", help="Started within: 45s, 30m, 2h, 7d, 4w; or since a date.")
]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="AGE", help="Started longer ago; or before a date.")
]

_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST_S: Final = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The options as they were typed."""

    agent: str | None = None
    tenant: str | None = None
    status: str | None = None
    min_cost_usd: float | None = None
    max_cost_usd: float | None = None
    since: str | None = None
    older_than: str | None = None

    @property
    def given(self) -> bool:
        """Whether any was typed."""
        return self != FilterOptions()

    def wanted(self) -> "RunFilter":
        """The runs that they ask for.

        Raises:
            BadInput: an age is none, or a limit of the cost is no number.
        """
        from spine_temporal.client.run_filter import RunFilter

        if any(cost != cost for cost in (self.min_cost_usd, self.max_cost_usd)):
            raise BadInput("a cost is a number of USD, such as 0.5")
        return RunFilter(
            agent=self.agent,
            tenant=self.tenant,
            status=self.status,
            min_cost_usd=self.min_cost_usd,
            max_cost_usd=self.max_cost_usd,
            since=_moment(self.since) if self.since is not None else None,
            until=_moment(self.older_than) if self.older_than is not None else None,
        )


def _moment(age: str) -> datetime:
    found = _AGE.fullmatch(age.strip())
    if found is not None:
        ago_s = float(found[1]) * _SECONDS[found[2]]
        return datetime.now(UTC) - timedelta(seconds=min(ago_s, _LONGEST_S))
    try:
        return datetime.fromisoformat(age.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{age!r} is no age: write 45s, 30m, 2h, 7d or 4w, or a date such as 2026-11-29 or 2026-11-29T08:30"
        ) from None
