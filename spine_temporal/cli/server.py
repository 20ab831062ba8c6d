"""Which server the command talks to."""

import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from temporalio.client import Client

GLOBAL_OPTIONS: Final = ("--address", "--namespace", "--profile")


@dataclass(frozen=True, slots=True)
class Server:
    """The global options. What is None is left to Temporal's own environment variables and profile file."""

    address: str | None = None
    namespace: str | None = None
    profile: str | None = None

    @property
    def overrides(self) -> dict[str, str]:
        """The options that were given."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def command(self, *words: str, program: str = "spine-temporal") -> str:
        """The line to type to give the command `words` to the same server."""
        return shlex.join([program, *words, *self._options])

    def run_command(self, name: str, *ids: str) -> str:
        """The line to type for a command on runs; an id that begins with a dash is not taken for an option."""
        if not any(id_.startswith("-") for id_ in ids):
            return self.command(name, *ids)
        return shlex.join(["spine-temporal", *self._options, name, "--", *ids])

    @property
    def _options(self) -> list[str]:
        return [part for name, value in self.overrides.items() for part in (f"--{name}", value)]

    async def client(self, **overrides: str) -> "Client":
        """A connected client.

        Raises:
            ServerUnreachable: no server answers.
        """
        # The SDK takes a second to import, and `--help` can do without.
        from spine_temporal.connection.connect import connect
        from spine_temporal.telemetry.core_log import plain_runtime

        return await connect(**(self.overrides | overrides), runtime=plain_runtime())


def global_options_first(arguments: list[str]) -> list[str]:
    """The command line with the global options moved to its front, so that they may stand after the command too."""
    first: list[str] = []
    others: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            others += [argument, *left]
        elif argument in GLOBAL_OPTIONS:
            first += [argument, *(value for value in [next(left, None)] if value is not None)]
        elif argument.startswith(tuple(f"{option}=" for option in GLOBAL_OPTIONS)):
            first.append(argument)
        else:
            others.append(argument)
    return first + others
