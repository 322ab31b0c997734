"""A token endpoint on the loopback, in TLS that this process trusts. Import the fixtures `authority` and `tokens`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from campaign.lib import connecting
from tests.deliveries.outside.web_server import Page, WebServer, running
from tests.deliveries.sending.certificates import Authority

CLIENT_SECRET = "the-client's secret~"
REFRESH_TOKEN = "1//refresh-token_of-the-tests"


@dataclass
class TokenServer:
    """Answers as it was told last."""

    web: WebServer

    @property
    def url(self) -> str:
        """The token address."""
        return f"{self.web.base}/token"

    @property
    def asked(self) -> list[dict[str, str]]:
        """The form of each request."""
        return [dict(parse_qsl(body.decode(), keep_blank_values=True)) for body in self.web.bodies]

    def gives(self, token: str, **values: Any) -> None:
        """A token for an hour from now on; `values` are what else its JSON says."""
        self.says(json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600, **values}).encode())

    def refuses(self, error: str, words: str = "", status: int = 400) -> None:
        """Refuse from now on."""
        self.says(json.dumps({"error": error, "error_description": words}).encode(), status=status)

    def says(self, body: bytes, **values: Any) -> None:
        """Answer so from now on."""
        self.web.pages["/token"] = Page(**{"headers": {"Content-Type": "application/json"}, "body": body, **values})

    def login(self, **values: Any) -> dict[str, Any]:
        """What an operator enters at a route or mailbox that gets its tokens here."""
        return {"token_source": "other", "token_url": self.url, "client_id": "the client", **values}


@pytest.fixture
def tokens(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    """Its certificate is one of the system's authorities for the time of the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    connecting._context.cache_clear()
    with running(authority.right) as web:
        server = TokenServer(web)
        server.gives("a-token")
        yield server
    connecting._context.cache_clear()
