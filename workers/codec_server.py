"""A process that decodes payloads for Temporal's web UI and command until it gets SIGTERM.

Its keys are the workers' (`SPINE_TEMPORAL_KEY_FILE`); `SPINE_TEMPORAL_CODEC_TOKEN_FILE` says who may ask for which
namespace, `SPINE_TEMPORAL_CODEC_ORIGINS` which web pages may. The page on security lists all settings.
"""

import sys
from typing import NoReturn

from spine_temporal.errors import SpineTemporalError


def main() -> NoReturn:
    """Serve as the environment says."""
    try:
        from spine_temporal.codec_server.process import run_codec_server

        run_codec_server()
    except SpineTemporalError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
