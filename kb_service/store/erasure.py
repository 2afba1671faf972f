"""x"""

from __future__ import annotations

from kb_service.store.repository import Scope
from kb_service.store.values import Erasure


def erase_customer(scope: Scope, customer_id: str) -> Erasure:
    return Erasure({})
