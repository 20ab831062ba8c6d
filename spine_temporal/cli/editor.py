"""A call's arguments opened in an editor."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from spine_temporal.errors import BadInput

_USUAL: Final = ("sensible-editor", "nano", "vi", "notepad")


def edited(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments as the user left them; None: unchanged.

    Raises:
        BadInput: there is no editor, it failed, or what it left is no JSON object.
    """
    with tempfile.TemporaryDirectory(prefix="spine-temporal-") as folder:
        file = Path(folder, "arguments.json")
        file.write_text(json.dumps(arguments, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _edit(file)
        left = parsed(file.read_text(encoding="utf-8"), "what the editor left")
    return None if left == arguments else left


def parsed(text: str, whose: str) -> dict[str, Any]:
    """The arguments that `text` holds.

    Raises:
        BadInput: it is no JSON object; `whose` says what is wrong.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{whose} is no JSON: {error}; nothing was sent") from None
    if not isinstance(value, dict):
        raise BadInput(f'{whose} is no JSON object; arguments are written {{"name": value}}; nothing was sent')
    return value


def _edit(file: Path) -> None:
    editor = _editor()
    try:
        process = subprocess.Popen([*shlex.split(editor), str(file)])
    except (OSError, ValueError) as error:
        raise BadInput(f"the editor {editor!r} does not start: {error}; $VISUAL or $EDITOR names another") from None
    # Ctrl-C is the editor's while it runs; set after its start, or it would not get it either.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        raise BadInput(f"the editor {editor!r} ended with code {code}; nothing was sent")


def _editor() -> str:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    found = named or next((editor for editor in _USUAL if shutil.which(editor)), None)
    if found is None:
        raise BadInput("there is no editor; set $EDITOR to one, or give the arguments with --arguments")
    return found
