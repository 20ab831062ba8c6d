"""What the checkpoint store records with a put."""

from pydantic import Field

from spine_temporal.contracts.base import WireModel


class CheckpointRecord(WireModel):
    """The first argument of the signal `spine.put`; the second is the body, or a part of it.

    The body is a StateDelta, or, without a `base`, a whole State as the kernel writes it.
    """

    token: str = Field(min_length=1)
    """Random name of this put."""
    base: str | None = None
    """The put that the difference starts from; None: the body is whole."""
    holder: str | None = None
    """The workflow that has recorded the base; None: this one."""
    packed: bool = False
    """The body is compressed, by zlib."""
    part: int = Field(default=0, ge=0)
    parts: int = Field(default=1, ge=1)
    """How many signals the body is spread over. The put counts from the last one on."""
