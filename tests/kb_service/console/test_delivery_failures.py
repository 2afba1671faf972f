"""Why deliveries failed, as people read it."""

from __future__ import annotations

import pytest

from kb_service.console.delivery_failures import failed
from kb_service.console.rendering import said


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("the address 10.0.0.1 of shop.example is not public; KB_WEBHOOK_ALLOW may name its network", "private"),
        ("the name nowhere.example cannot be resolved: [Errno -2] Name not known", "unresolved"),
        ("the name nowhere.example has no address", "unresolved"),
        ("answered 503", "status"),
        ("TimeoutError: ", "timeout"),
        ("ConnectError: All connection attempts failed", "unreachable"),
        ("the group refused it: 19021", "other"),
    ],
)  # fmt: skip
def test_why_an_attempt_failed_has_its_words(error: str, kind: str) -> None:
    found = failed(error)
    assert found.kind == kind
    for language in ("zh", "en"):
        assert said(f"failed {kind}", language, **found.values)
