"""The command line of the benchmark; its exit code is 1 when a target is missed."""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench.drawing import draw
from tests.bench.measuring import measure
from tests.bench.plan import FULL, QUICK
from tests.bench.report import as_json, show
from tests.bench.targets import targets

_WIDTH: Final = 150


def main() -> int:
    """Measure, print, write; 0 when every target is met."""
    options = _options()
    plan = QUICK if options.quick else FULL
    if options.repeats:
        plan = dataclasses.replace(plan, repeats=options.repeats, peer_repeats=options.repeats)
    peers = options.peers or options.only_peers or plan.peers
    plan = dataclasses.replace(plan, hooked=options.hooked, peers=peers, ours=not options.only_peers)
    progress = Console(stderr=True, highlight=False)
    found = asyncio.run(measure(plan, progress.print))
    judged = targets(found)
    # Into a file, a table is not to be cut at eighty letters.
    show(Console(width=None if sys.stdout.isatty() else _WIDTH), found, judged)
    options.json.write_text(json.dumps(as_json(found, judged), indent=2) + "\n")
    if plan.peers:
        progress.print(draw(options.json, options.plot or options.json.with_suffix(".png")))
    return 0 if all(target.met for target in judged) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What a spine run costs.")
    parser.add_argument("--quick", action="store_true", help="short runs, one repeat")
    parser.add_argument("--hooked", action="store_true", help="the agent has a middleware on model and tool")
    parser.add_argument("--peers", action="store_true", help="other integrations too, also with --quick")
    parser.add_argument("--only-peers", action="store_true", help="other integrations beside ours, nothing else")
    parser.add_argument("--repeats", type=int, default=0, help="how often; the median counts")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the raw figures go")
    parser.add_argument("--plot", type=Path, help="where the plot of the other integrations goes; beside the figures")
    return parser.parse_args()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(code)
