"""What changed in a State, without what did not."""

import functools

from pydantic import Field

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.json_form import AnyJson
from spine_temporal.contracts.messages import AnyMessage, AnyUsage


class StateDelta(WireModel):
    """The difference between two States of one run; nothing in it grows with the conversation.

    Messages are normally only appended. When a hook edited old ones in place, `edits` holds the new text of each by
    index; when it removed or inserted some, `cut` says which stretch of the old list the new messages replace.
    """

    messages: list[AnyMessage] = Field(default_factory=list)
    edits: dict[int, AnyMessage] = Field(default_factory=dict)
    cut: tuple[int, int] | None = None
    """Replace the old messages from the first index up to, not including, the second; None: append."""
    usage: AnyUsage | None = None
    """The new total, where it is not the old one plus what the model's response cost; None: it is."""
    usage_before: AnyUsage | None = None
    """What `usage` was counted up from; two deltas made side by side from one State add up by it."""
    scratch: dict[str, AnyJson] = Field(default_factory=dict)
    """A patch of `State.scratch`, in the form of `journal.patch`."""
    fields: dict[str, AnyJson] = Field(default_factory=dict)
    """New values of State's other fields, by name."""

    @property
    def rewrites(self) -> bool:
        """It does more to the messages than to append some."""
        return bool(self.edits) or self.cut is not None


class MessageSummary(WireModel):
    """A message as the workflow sees it."""

    role: str
    content: str | None = None


class DeltaSummary(WireModel):
    """A StateDelta as the workflow sees it: enough to count and to know the last text."""

    messages: list[MessageSummary] = Field(default_factory=list)
    usage: AnyUsage | None = None
    usage_before: AnyUsage | None = None
    fields: dict[str, AnyJson] = Field(default_factory=dict)


@functools.cache
def no_change() -> StateDelta:
    """The delta of what changed nothing: one for all, as nobody changes a delta."""
    return StateDelta()


@functools.cache
def no_change_summary() -> DeltaSummary:
    """The same, as the workflow sees it."""
    return DeltaSummary()
