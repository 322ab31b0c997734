"""What every act of a person on a delivery has in common: it is allowed or refused, done once, and written down."""

from deliveries.states import MoveRefused


class ActionRefused(Exception):
    """The act cannot be done now. ``str()`` is a sentence that says why and what to do instead."""


__all__ = ["ActionRefused", "MoveRefused"]
