"""Makes the keys of the compose stack once: stack_keys.py FOLDER. What is there stays.

The key encrypts the payloads; the token is what the codec server asks for.
"""

import secrets
import sys
from pathlib import Path
from typing import Final

from spine_temporal.encryption import new_key

NAMESPACE: Final = "default"
# Root makes them, and the workers, who are not root, must read them: nobody else sees the volume.
_MODE: Final = 0o444


def make(folder: Path) -> None:
    """Write `keys` and `tokens`, each unless it is there."""
    lines = {"keys": new_key("stack"), "tokens": f"stack {secrets.token_urlsafe(32)} {NAMESPACE}"}
    for name, line in lines.items():
        path = folder / name
        if not path.exists():
            path.write_text(f"{line}\n")
            path.chmod(_MODE)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
