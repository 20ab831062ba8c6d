"""Inputs that are read, or refused for good: a workflow's task never fails over one."""

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.payloads import unpack


def read[W: WireModel](type_: type[W], value: RawValue) -> W:
    """What a workflow, or an update, is given.

    Raises:
        ApplicationError: it is nothing of that kind.
    """
    try:
        return unpack(type_, value)
    except ValidationError as error:
        raise ApplicationError(
            f"it takes a {type_.__name__}: {error}", type=names.BAD_REQUEST, non_retryable=True
        ) from None


def heard[W: WireModel](type_: type[W], value: RawValue) -> W | None:
    """What a signal says; None: it is nothing of that kind, which is logged, for nobody can be answered."""
    try:
        return unpack(type_, value)
    except ValidationError as error:
        workflow.logger.warning("a signal that is no %s: %s", type_.__name__, error)
        return None


async def until_grown() -> None:
    """Wait until the history is so long that a new execution should go on."""
    await workflow.wait_condition(lambda: workflow.info().is_continue_as_new_suggested())
    await workflow.wait_condition(workflow.all_handlers_finished)
