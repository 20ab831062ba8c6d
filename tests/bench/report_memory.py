"""The table of what workers hold, and for how long they are busy with a large conversation."""

from rich.table import Table

from tests.bench.findings import Findings

_MB = 1e6


def memory(found: Findings) -> Table:
    """The table."""
    table = Table("memory of a worker", "", title="Memory, and a large conversation")
    for held in found.cache_memory:
        text = f"{held.letters / _MB:,.0f} million letters, cache_bytes of {held.cache_bytes / _MB:,.0f} MB"
        table.add_row(f"{held.what}: {text}", f"at most {held.most_bytes / _MB:,.1f} MB in {held.wall_s:,.0f} s")
        without = f"at most {held.without_bytes / _MB:,.1f} MB in {held.wall_without_s:,.0f} s"
        table.add_row("    without a cache", without)
    if found.short_runs is not None:
        short = found.short_runs
        table.add_row(f"after {short.first:,} short runs", f"{short.first_bytes / _MB:,.1f} MB")
        table.add_row(f"after {short.runs:,}", f"{short.all_bytes / _MB:,.1f} MB, in {short.wall_s:,.0f} s")
    if found.large is not None:
        large = found.large
        size = f"{large.text_bytes / _MB:,.0f} MB"
        built = f"{large.built_s:,.1f} s, at most {large.built_peak_bytes / _MB:,.0f} MB of memory"
        table.add_row(f"a conversation of {size} comes about", built)
        peak = f"{large.peak_bytes / _MB:,.0f} MB of memory, {large.before_bytes / _MB:,.0f} MB before"
        table.add_row("    closed, its answer on a new worker", f"{large.cold_s:,.2f} s, at most {peak}")
        table.add_row("    on the worker that had it", f"{large.warm_s:,.2f} s")
        table.add_row("    still open, on the worker that had it", f"{large.open_s:,.2f} s")
    return table
