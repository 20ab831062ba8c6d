"""Where the Temporal server is, by Temporal's own settings."""

from typing import Any, Final

from temporalio.envconfig import ClientConfig

from spine_temporal.errors import BadInput

DEFAULT_ADDRESS: Final = "localhost:7233"


def connect_options(
    *, address: str | None = None, namespace: str | None = None, profile: str | None = None
) -> dict[str, Any]:
    """Arguments for `Client.connect`: what is given here goes before the variables, these before the profile.

    Raises:
        BadInput: there is no such profile, or the file cannot be read.
    """
    given = {"target_host": address, "namespace": namespace}
    try:
        found = ClientConfig.load_client_connect_config(profile)
    except (OSError, RuntimeError) as error:
        # The further lines quote the file, which may hold a key.
        reason = str(error).partition("\n")[0]
        raise BadInput(
            f"Temporal's settings cannot be used: {reason}; look at TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the "
            "TEMPORAL_TLS_* paths, or run `temporal config list`"
        ) from None
    return {"target_host": DEFAULT_ADDRESS, **found, **{key: value for key, value in given.items() if value}}
