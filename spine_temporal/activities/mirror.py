"""The turn's State, written to the agent's own checkpoint backend."""

import logging
from typing import Any, Final

from spine_core import CheckpointStore, State

from spine_temporal.activities.state_copy import working_copy
from spine_temporal.contracts.json_form import REPLACEMENT
from spine_temporal.contracts.state_form import read_state, write_state

_log = logging.getLogger(__name__)

_NUL: Final = "\0"


async def mirror(store: CheckpointStore, state: State) -> None:
    """Put a copy of `state`.

    PostgreSQL holds no text with a NUL character. A backend that refuses a State with one gets it with U+FFFD in the
    place of each; the history keeps the NUL.
    """
    try:
        await store.put(working_copy(state))
    except Exception as error:
        written = write_state(state)
        replaced = _without_nul(written)
        if replaced == written:
            raise
        await store.put(read_state(replaced, State.model_validate(replaced)))
        _log.warning(
            "session %r has NUL characters, which its checkpoint backend does not hold: there they are U+FFFD (%s)",
            state.session_id,
            error,
        )


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(_NUL, REPLACEMENT)
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    return value
