"""All settings of a process: how it connects, which keys it has, which version it is of."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from temporalio.common import WorkerDeploymentVersion
from temporalio.envconfig import ClientConfig

from spine_temporal.errors import BadInput

if TYPE_CHECKING:
    from spine_temporal.encryption.keys import KeySource

DEFAULT_ADDRESS: Final = "localhost:7233"
DEFAULT_NAMESPACE: Final = "default"

API_KEY_FILE: Final = "SPINE_TEMPORAL_API_KEY_FILE"
KEYS: Final = "SPINE_TEMPORAL_KEYS"
KEY_FILE: Final = "SPINE_TEMPORAL_KEY_FILE"
ACCEPT_PLAINTEXT: Final = "SPINE_TEMPORAL_ACCEPT_PLAINTEXT"

DEPLOYMENT_NAME: Final = "TEMPORAL_DEPLOYMENT_NAME"
BUILD_ID: Final = "TEMPORAL_WORKER_BUILD_ID"
"""These two are Temporal's own: its Worker Controller sets them on every pod."""

# What the server joins the two with, and what it keeps for itself.
_JOINTS: Final = (".", ":")
_RESERVED: Final = "__"

_YES: Final = ("1", "true", "yes")
_NO: Final = ("0", "false", "no")


def connect_options(
    *, address: str | None = None, namespace: str | None = None, profile: str | None = None
) -> dict[str, Any]:
    """Arguments for `Client.connect`: what is given here goes before the variables, these before the profile.

    With keys, payloads are encrypted for that namespace.

    Raises:
        BadInput: there is no such profile, a file cannot be read, or the keys cannot be used.
        MissingExtra: there are keys, and the extra `encryption` is not installed.
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
    options: dict[str, Any] = {
        "target_host": DEFAULT_ADDRESS,
        **found,
        **{key: value for key, value in given.items() if value},
    }
    if os.environ.get(API_KEY_FILE):
        options["api_key"] = read_api_key()
    keys = encryption_keys()
    if keys is not None:
        # The package cryptography is an extra.
        from spine_temporal.encryption.converter import encrypted

        namespace = options.get("namespace") or DEFAULT_NAMESPACE
        options["data_converter"] = encrypted(keys, namespace, accepts_plaintext=accepts_plaintext())
    return options


def read_api_key() -> str:
    """The API key in the file that the setting names.

    Raises:
        BadInput: it cannot be read, holds none, or TEMPORAL_API_KEY is set as well.
    """
    path = os.environ[API_KEY_FILE]
    if os.environ.get("TEMPORAL_API_KEY"):
        raise BadInput(f"both {API_KEY_FILE} and TEMPORAL_API_KEY are set; keep one of them")
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{API_KEY_FILE} {path} cannot be read: {type(error).__name__}") from None
    if not key.isprintable() or len(key.split()) != 1:
        raise BadInput(f"{API_KEY_FILE} {path} holds no API key; it is one word")
    return key


def deployment_name() -> str | None:
    """Of which deployment the workers are; None: no setting names any."""
    return os.environ.get(DEPLOYMENT_NAME, "").strip() or None


def deployment_version() -> WorkerDeploymentVersion | None:
    """Which version of which deployment a worker of this process is; None: workers are not versioned.

    Raises:
        BadInput: one of the two settings is there without the other, or the server would not take the name.
    """
    name, build_id = deployment_name(), os.environ.get(BUILD_ID, "").strip()
    if not name and not build_id:
        return None
    if not name or not build_id:
        there, lacking = (DEPLOYMENT_NAME, BUILD_ID) if name else (BUILD_ID, DEPLOYMENT_NAME)
        raise BadInput(f"{there} is set without {lacking}; a versioned worker needs both, any other neither")
    if any(joint in name for joint in _JOINTS) or name.startswith(_RESERVED):
        raise BadInput(f"{DEPLOYMENT_NAME} is {name!r}; a deployment's name has no . and no :, and begins without __")
    return WorkerDeploymentVersion(name, build_id)


def encryption_keys() -> "KeySource | None":
    """Where the keys are that payloads are encrypted with; None: no setting names any.

    Raises:
        BadInput: two settings name some.
    """
    from spine_temporal.encryption.sources import KeyFile, KeyVariable

    written, path = os.environ.get(KEYS), os.environ.get(KEY_FILE)
    if written and path:
        raise BadInput(f"both {KEYS} and {KEY_FILE} are set; keep one of them")
    if path:
        return KeyFile(path)
    return KeyVariable(KEYS) if written else None


def accepts_plaintext() -> bool:
    """Whether payloads that are not encrypted are read, too, although there are keys.

    Raises:
        BadInput: the setting is neither yes nor no.
    """
    return is_set(ACCEPT_PLAINTEXT)


def is_set(name: str) -> bool:
    """Whether the variable says yes; unset, it says no.

    Raises:
        BadInput: it says neither.
    """
    written = os.environ.get(name, "").lower()
    if written and written not in (*_YES, *_NO):
        raise BadInput(f"{name} is {written!r}; it is 1 or 0")
    return written in _YES
