"""A browser without scripts: cookies, forms, and what a page says."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from kb_service.console.guard import SESSION
from tests.kb_service.conftest import Api

CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
STAMP = re.compile(r'name="stamp" value="([^"]+)"')


@dataclass
class Browser:
    client: TestClient
    language: str = "en"

    def get(self, path: str, **more: Any) -> Response:
        return self.client.get(
            path, headers={"accept-language": self.language}, follow_redirects=False, **more
        )

    def post(self, path: str, csrf: str | None = None, origin: str | None = None, **fields: str) -> Response:
        """Send a form, with the token that the console's own pages carry unless another is given."""
        if csrf is None and self.client.cookies.get(SESSION):
            found = CSRF.search(self.get("/console/problems").text)
            csrf = found[1] if found else ""
        data = {**fields, **({"csrf": csrf} if csrf else {})}
        headers = {"accept-language": self.language, **({"origin": origin} if origin else {})}
        return self.client.post(path, data=data, headers=headers, follow_redirects=False)

    def stamp(self, path: str) -> str:
        """What the form of a page says it was made of."""
        found = STAMP.search(self.get(path).text)
        assert found, path
        return found[1]

    def text(self, path: str) -> str:
        """What a page says, without its tags."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def browser(api: Api, language: str = "en") -> Browser:
    """Somebody who has not signed in."""
    return Browser(TestClient(api.app), language)


def signed_in(
    api: Api,
    *roles: str,
    workspace: str = "shop",
    name: str = "Lin",
    agent_id: str | None = None,
    language: str = "en",
    operator: bool = False,
) -> Browser:
    """A member with these roles, signed in."""
    _, token = api.services.accounts.invite(
        workspace, name, roles or ("admin",), agent_id=agent_id, operator=operator
    )
    visitor = browser(api, language)
    response = visitor.post("/console/sign-in", token=token)
    assert response.status_code == 303, response.text
    return visitor
