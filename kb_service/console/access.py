"""Who may see which page, and send which form."""

from __future__ import annotations

from collections.abc import Mapping

from kb_service.models import KeyRole
from kb_service.security import ADMIN, AGENT, ANY, EDITOR, PRODUCT, STAFF

Access = Mapping[str, frozenset[KeyRole] | None]

SIGNING_IN: Access = {
    "GET /console": ANY,
    "GET /console/static/{name}": None,
    "GET /console/sign-in": None,
    "POST /console/sign-in": None,
    "POST /console/sign-out": ANY,
    "POST /console/language": None,
}
DESK: Access = {
    "GET /console/desk": STAFF,
    "GET /console/ask": AGENT,
    "GET /console/cases/{id}": STAFF,
    "POST /console/cases/{id}/take": AGENT,
    "POST /console/cases/{id}/handover": AGENT,
    "POST /console/cases/{id}/resolve": AGENT,
    "POST /console/cases/{id}/reply": AGENT,
    "POST /console/cases/{id}/reject": AGENT,
}
PROBLEMS: Access = {
    "GET /console/problems": STAFF,
    "GET /console/problems/{id}": STAFF,
    "POST /console/problems/{id}/{action}": PRODUCT,
}
TRAFFIC: Access = {
    "GET /console/traffic": STAFF,
}
KNOWLEDGE: Access = {
    "GET /console/documents/{external_id:path}": STAFF,
    "GET /console/knowledge": STAFF,
    "GET /console/knowledge/gaps": PRODUCT,
    "POST /console/knowledge/gaps/{id}/publish": EDITOR,
    "GET /console/knowledge/conflicts": PRODUCT,
    "GET /console/knowledge/stale": PRODUCT,
}
ADMINISTRATION: Access = {
    "GET /console/administration": ADMIN,
    "POST /console/administration/members": ADMIN,
    "POST /console/administration/members/{id}/link": ADMIN,
    "POST /console/administration/members/{id}/end": ADMIN,
    "GET /console/administration/audit": ADMIN,
}
PAGES: Access = {**SIGNING_IN, **DESK, **PROBLEMS, **TRAFFIC, **KNOWLEDGE, **ADMINISTRATION}
"""The roles that each page admits; None is open to everybody. A page that is missing here refuses everybody."""
