"""What can go wrong in this room.

    GraphError         anything that callers of `graph` may want to catch
    └── NotAllowed     a step that the present state does not allow
"""

from __future__ import annotations


class GraphError(Exception):
    """Base of this room's errors; the message names what was wrong and what would be right."""

    code = "graph_error"


class NotAllowed(GraphError):
    """A step that the present state of a problem or case does not allow."""

    code = "not_allowed"
