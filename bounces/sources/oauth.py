"""Access tokens of OAuth 2 for mailboxes: by client credentials (RFC 6749, section 4.4), as Microsoft 365 wants it."""

import json
from typing import Final

import requests

_SECONDS: Final = 10
_MAX_OCTETS: Final = 65_536


class TokenRefused(Exception):
    """No token. The message is a sentence for people."""


def access_token(url: str, client_id: str, client_secret: str, scope: str) -> str:
    """A fresh access token. Raises :class:`TokenRefused`."""
    asked = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        **({"scope": scope} if scope else {}),
    }
    try:
        # A redirect would carry the secret to somewhere else.
        with requests.post(url, data=asked, timeout=_SECONDS, allow_redirects=False, stream=True) as answer:
            answer.raw.decode_content = True
            content = answer.raw.read(_MAX_OCTETS)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise TokenRefused(
            f"No token could be fetched from {url}: {type(error).__name__}. Check the address."
        ) from error
    try:
        said = json.loads(content)
    except ValueError:
        said = {}
    token = said.get("access_token") if isinstance(said, dict) else None
    if status == 200 and isinstance(token, str) and token:
        return token
    why = said.get("error_description") or said.get("error") if isinstance(said, dict) else None
    words = " ".join(str(why or "no token in the answer").split())[:300]
    raise TokenRefused(f"{url} gave no token (HTTP {status}): {words.rstrip('.')}. Check client ID, secret and scope.")
