"""What a Prometheus would read of a process's metrics."""

import asyncio
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Scrape:
    """One answer of an exporter."""

    text: str

    @property
    def families(self) -> Iterator[Metric]:
        return iter(text_string_to_metric_families(self.text))

    def value(self, sample: str, **labels: str) -> float:
        """The sum of the samples of that name with at least these labels."""
        return sum(
            each.value
            for family in self.families
            for each in family.samples
            if each.name == sample and labels.items() <= each.labels.items()
        )

    def bounds(self, histogram: str) -> list[float]:
        """The upper bounds of its buckets."""
        bounds = {
            float(each.labels["le"])
            for family in self.families
            for each in family.samples
            if each.name == f"{histogram}_bucket"
        }
        return sorted(bounds)

    def shape(self) -> list[str]:
        """Each family with its type and its labels, as text that may be compared."""
        lines = list[str]()
        for family in self.families:
            labels = sorted({name for sample in family.samples for name in sample.labels} - {"le"})
            lines.append(f"{family.type} {_exported(family)}{{{', '.join(labels)}}}")
        return sorted(lines)


async def scrape(url: str) -> Scrape:
    """Ask the exporter at `url`."""

    def read() -> str:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    return Scrape(await asyncio.to_thread(read))


def _exported(family: Metric) -> str:
    # The parser takes the suffix for a part of the format.
    return f"{family.name}_total" if family.type == "counter" else str(family.name)
