"""Exits 0 when the process of this host is ready, else 1 with the reason: healthcheck.py [URL].

It asks what SPINE_TEMPORAL_HEALTH_ADDRESS serves at /readyz, or the URL that it is given. The standard library is all
it needs.
"""

import os
import sys
import urllib.error
import urllib.request

_TIMEOUT_S = 4
# A server that listens everywhere is asked where it is.
_HERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - asked, not bound


def url_of(address: str) -> str:
    """Where to ask a worker that serves its health at `address`."""
    host, _, port = address.rpartition(":")
    return f"http://{_HERE.get(host, host)}:{port}/readyz"


def why_unready(url: str) -> str:
    """What is wrong; empty when nothing is."""
    # Not through a proxy that the environment names for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT_S):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return error.read(1000).decode(errors="replace").strip() or f"{url} answers {error.code}"
    except (OSError, ValueError) as error:
        return f"{url} does not answer: {error}"


def main() -> str:
    """The reason not to be ready; empty when there is none."""
    if len(sys.argv) > 1:
        return why_unready(sys.argv[1])
    address = os.environ.get("SPINE_TEMPORAL_HEALTH_ADDRESS")
    if not address:
        return "SPINE_TEMPORAL_HEALTH_ADDRESS is not set, so that the worker serves no health; set it to HOST:PORT"
    return why_unready(url_of(address))


if __name__ == "__main__":
    reason = main()
    print(reason)  # noqa: T201
    sys.exit(1 if reason else 0)
