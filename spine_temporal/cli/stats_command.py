"""The command `stats` as it is typed; what does it is imported when it runs."""

from enum import StrEnum
from typing import Annotated

import typer

from spine_temporal.cli.filter_options import FilterOptions, InStatus, MaxCost, MinCost, OfTenant, OlderThan, Since
from spine_temporal.cli.options import Json, OfAgent


class By(StrEnum):
    """What sums are separated by."""

    AGENT = "agent"
    TENANT = "tenant"
    STATUS = "status"


def stats(
    context: typer.Context,
    *,
    by: Annotated[
        list[By] | None, typer.Option("--by", help="One row for each; may be repeated. Else by all three.")
    ] = None,
    agent: OfAgent = None,
    tenant: OfTenant = None,
    status: InStatus = None,
    min_cost: MinCost = None,
    max_cost: MaxCost = None,
    since: Since = None,
    older_than: OlderThan = None,
    json: Json = False,
) -> int:
    """What runs have used: steps, tokens, cost.

    Summed by agent, tenant and status, as of each run's last change of status. A cost that nobody knows is in no sum.
    """
    from spine_temporal.cli.stats import stats as print_stats

    options = FilterOptions(agent, tenant, status, min_cost, max_cost, since, older_than)
    return print_stats(context.obj, options, by=[each.value for each in by or By], json=json)
