"""A whole process that is a codec server."""

import logging
import signal
from typing import Final, NoReturn

from spine_temporal.codec_server.settings import server_settings
from spine_temporal.errors import MissingExtra

_LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run_codec_server() -> NoReturn:
    """Serve until SIGTERM, with the keys of the worker's own settings.

    Raises:
        BadInput: there are no keys, nobody may ask, or a setting cannot be used.
        MissingExtra: the extra `codec-server` is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtra("the codec server needs: pip install 'spine-temporal[codec-server]'") from error
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    server, host, port = server_settings()
    # Once it has ended in good order, uvicorn raises the signal again: the process would not end with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    # Not its access log: a proxy has one, and what was decoded for whom is logged by the server itself.
    uvicorn.run(server.app(), host=host, port=port, access_log=False, server_header=False)
    raise SystemExit(0)
