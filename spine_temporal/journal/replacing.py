"""Copies with some fields replaced, faster than by the standard functions."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    # For the type checker it is the standard one: it knows the fields and their types.
    from dataclasses import replace
else:

    def replace[T](instance: T, /, **changes: Any) -> T:
        """A copy with these fields replaced. The class has no slots, and no `__post_init__`.

        A run replaces some twenty fields of thirty in each step; the standard function asks for all of them, and sets
        each through `__setattr__`: a twentieth of what a step costs its worker.

        Raises:
            TypeError: there is no such field.
        """
        made, fields = object.__new__(type(instance)), instance.__dict__
        changed = fields | changes
        if len(changed) != len(fields):
            raise TypeError(f"{type(instance).__name__} has no field {sorted(changes.keys() - fields.keys())}")
        object.__setattr__(made, "__dict__", changed)
        return made


def copied[M: BaseModel](model: M, /, **changes: Any) -> M:
    """A shallow copy of a pydantic model, with these fields replaced: `model_copy` in a third of its time.

    The model's class has neither private nor further fields.
    """
    made = model.__class__.__new__(model.__class__)
    object.__setattr__(made, "__dict__", model.__dict__ | changes)
    object.__setattr__(made, "__pydantic_fields_set__", model.__pydantic_fields_set__ | changes.keys())
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


__all__ = ["copied", "replace"]
