"""Whether the activity at work reports by a codec, so that what it says elsewhere is to be chosen with care."""

from temporalio import activity


def is_sealed() -> bool:
    """Whether there is such an activity, and its client has a payload codec."""
    return activity.in_activity() and activity.client().data_converter.payload_codec is not None
