"""`dataclasses.replace` for the journal's own frozen dataclasses, twenty times as fast."""

from typing import TYPE_CHECKING, Any

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


__all__ = ["replace"]
