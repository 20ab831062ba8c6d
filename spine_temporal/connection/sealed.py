"""Whether the activity at work reports through a codec: then what it says elsewhere counts."""

from temporalio import activity


def is_sealed() -> bool:
    """Whether there is such an activity, and its client has a payload codec."""
    return activity.in_activity() and activity.client().data_converter.payload_codec is not None
