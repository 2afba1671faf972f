"""How a change of a document is taken back: by the step before, and only while nobody has written since."""

from __future__ import annotations

from urllib.parse import quote

from kb_service.models import DocumentStatus


def way_back(status: DocumentStatus) -> tuple[str | None, dict[str, str]]:
    """The form that takes a change back with its fields; none where nothing was changed.

    `over` is the version that stands after the change: where another one stands by then, nothing is taken back.
    """
    name = quote(status.external_id)
    over = {"over": str(status.version)}
    if status.status == "created":
        return f"/console/knowledge/remove/{name}", over
    if status.status == "updated":
        return f"/console/knowledge/restore/{name}", {"version": str(status.version - 1), **over}
    return None, {}
