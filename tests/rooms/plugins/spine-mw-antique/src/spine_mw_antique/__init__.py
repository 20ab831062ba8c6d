"""Made for spinekit 0.2; whoever imports it is told off."""

from spine_core import Middleware, register_middleware

__all__ = ["Antique"]


class Antique(Middleware):
    """Does nothing."""


register_middleware("Antique", Antique)
