"""The entry point of `spine-temporal`."""

import io
import os
import sys
from importlib.util import find_spec
from typing import NoReturn

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.worker.exit import leave


def main() -> NoReturn:
    """Run the command line, end the process with the exit code for what came of it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Whoever started this closed it.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        # An answer with a character that the terminal's encoding lacks is better than none.
        sys.stdout.reconfigure(errors="replace")
    # Whoever installed the library alone still gets the script.
    missing = [name for name in ("rich", "typer") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"error: this command needs {' and '.join(missing)}: pip install 'spine-temporal[cli]'\n")
        sys.exit(Exit.BAD_USAGE)
    leave(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Carry out a command line; the exit code for what came of it."""
    code = Exit.DONE if arguments else Exit.BAD_USAGE
    try:
        from spine_temporal.cli.commands import app
        from spine_temporal.cli.server import global_options_first
        from spine_temporal.cli.typed_text import check_text

        check_text(arguments)
        done = app(global_options_first(arguments or ["--help"]), prog_name="spine-temporal", standalone_mode=False)
        code = Exit(done or code)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.CTRL_C
    except SystemExit as ended:
        # Typer and rich end the process where whoever read the output has gone, and typer once it has printed how lines
        # are completed. Here it ends by `leave` in any case: else threads of the SDK could hold it for ever.
        return code if isinstance(ended.__context__, OSError) else int(ended.code or Exit.DONE)
    except BrokenPipeError:
        return code
    except Exception as error:  # noqa: BLE001
        from spine_temporal.cli.errors import report

        return report(error)
    return code
