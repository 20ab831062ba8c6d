"""The entry point of `spine-temporal`."""

import os
import sys
from importlib.util import find_spec
from typing import NoReturn

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.worker.exit import leave


def main() -> NoReturn:
    """Run the command line, end the process with the exit code for what came of it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Whoever started this closed it.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the end
    # Whoever installed the library alone still gets the script.
    missing = [name for name in ("rich", "typer") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"error: this command needs {' and '.join(missing)}: pip install 'spine-temporal[cli]'\n")
        sys.exit(Exit.BAD_USAGE)
    leave(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Carry out a command line; the exit code for what came of it."""
    try:
        from spine_temporal.cli.commands import app
        from spine_temporal.cli.server import check_text, global_options_first

        check_text(arguments)
        code = app(global_options_first(arguments or ["--help"]), prog_name="spine-temporal", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.CTRL_C
    except Exception as error:  # noqa: BLE001
        from spine_temporal.cli.errors import report

        return report(error)
    return int(code or Exit.DONE) if arguments else Exit.BAD_USAGE
