"""Inputs that are read, or refused for good: a workflow's task never fails over one."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel, problem_in
from spine_temporal.workflow.arguments import only_argument


def read[W: WireModel](type_: type[W], values: Sequence[Any]) -> W:
    """What a workflow, or an update, is given.

    Raises:
        ApplicationError: it is nothing of that kind.
    """
    try:
        return only_argument(type_, values)
    except ValueError as error:
        raise ApplicationError(
            f"it takes a {type_.__name__}: {error}", type=names.BAD_REQUEST, non_retryable=True
        ) from None


def heard[W: WireModel](type_: type[W], values: Sequence[Any]) -> W | None:
    """What a signal says; None: it is nothing of that kind, which is logged, for nobody can be answered."""
    try:
        return only_argument(type_, values)
    except ValueError as error:
        workflow.logger.warning("a signal that is no %s: %s", type_.__name__, problem_in(error))
        return None


async def until_grown() -> None:
    """Wait until the history is so long that a new execution should go on."""
    await workflow.wait_condition(lambda: workflow.info().is_continue_as_new_suggested())
    await workflow.wait_condition(workflow.all_handlers_finished)
