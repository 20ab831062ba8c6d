"""A client connected to the Temporal server."""

import asyncio
import re
from typing import Any, Final

from temporalio.client import Client

from spine_temporal.connection.settings import connect_options
from spine_temporal.errors import BadInput, ServerUnreachable, unreachable

_PATIENCE_S: Final = 5.0
# How the SDK words it when there is a connection, but the first call fails.
_REFUSED: Final = re.compile(r'call error after connection: .*message: "([^"]*)"')


async def connect(
    *, address: str | None = None, namespace: str | None = None, profile: str | None = None, **options: Any
) -> Client:
    """A client for the server that Temporal's settings name, else the one at localhost:7233.

    Read are the TEMPORAL_* environment variables and the profile file, as Temporal's own command does; the arguments
    go before both. `options` go to `temporalio.client.Client.connect`.

    Raises:
        ServerUnreachable: no server answers within five seconds, or it does not take this client.
        BadInput: the settings cannot be used.
    """
    arguments = connect_options(address=address, namespace=namespace, profile=profile) | options
    target = arguments.pop("target_host")
    # With an API key the SDK speaks TLS, too, unless it is set otherwise.
    by_tls = arguments.get("tls") or (arguments.get("tls") is None and arguments.get("api_key"))
    how = "by TLS, which TEMPORAL_TLS or an API key asks for" if by_tls else ""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await Client.connect(target, **arguments)
    except TimeoutError:
        raise unreachable(target, how) from None
    except ValueError as error:
        raise BadInput(f"{target!r} is no address of a server: {error}; it is written host:port") from None
    except RuntimeError as error:
        refused = _REFUSED.search(str(error))
        if refused is None:
            raise unreachable(target, how) from error
        raise ServerUnreachable(
            f"what answers at {target} does not take this client ({refused[1]}); is it a Temporal server, do the TLS "
            "settings and TEMPORAL_API_KEY fit?"
        ) from error
