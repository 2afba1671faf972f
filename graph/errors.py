"""What can go wrong in this room.

GraphError         anything that callers of `graph` may want to catch
├── NotAllowed     a step that the present state does not allow
└── InvalidValue   an argument is malformed or contradicts another
"""

from __future__ import annotations


class GraphError(Exception):
    """Base of this room's errors; the message names what was wrong and what would be right."""

    code = "graph_error"


class NotAllowed(GraphError):
    """A step that the present state of a problem or case does not allow."""

    code = "not_allowed"


class InvalidValue(GraphError):
    """`field` names the argument at fault, as the wire spells it."""

    code = "invalid_value"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
