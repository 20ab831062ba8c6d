"""How somebody wants to see a run that goes on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.follow import follow
from spine_temporal.cli.print_result import Stopped, print_result
from spine_temporal.cli.server import Server
from spine_temporal.cli.stream import StreamPrinter
from spine_temporal.cli.terminal import stderr, write
from spine_temporal.client.run_event import RunEvent


@dataclass(slots=True)
class View:
    """What is printed of a run meanwhile, and then of its Result."""

    json: bool
    live: bool
    """On stderr a line for each thing that is done."""
    stream: bool
    """On stdout what the model writes, as it writes it; with `json` each event, in one line."""
    _shown: str = ""

    @property
    def reads_along(self) -> bool:
        """Somebody sees what the model writes before it is done."""
        return self.live or self.stream

    async def show(self, events: AsyncGenerator[RunEvent]) -> None:
        """Print them while they come."""
        # Whoever reads the output may go away in the middle.
        async with aclosing(events):
            if self.stream and self.json:
                async for event in events:
                    write(event.model_dump_json(), flush=True)
            elif self.stream:
                printer = StreamPrinter(stderr() if self.live else None)
                await printer.print(events)
                self._shown = printer.shown
            elif self.live:
                await follow(events, stderr())

    def print_result(self, server: Server, stop: Stopped) -> Exit:
        """Print what the run came to, as far as it does not stand there yet."""
        return print_result(server, stop, json=self.json, live=self.live, shown=self._shown)
