"""What a token endpoint's answer says (RFC 6749, sections 5.1 and 5.2): a token, or a sentence that says what to mend.

The endpoint is believed in nothing: its words come out short, in one line and without a secret.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, quote_plus

LIFETIME_UNSAID: Final = timedelta(minutes=5)
"""Of a token whose endpoint does not say how long it is good."""
LONGEST_LIFETIME: Final = timedelta(days=1)
"""After which a token is fetched anew, however long its endpoint says that it is good."""
MOST_CHARACTERS: Final = 8_192
"""Of a token: base64 and a user name have to fit into the 12,288 octets of AUTH (RFC 4954, section 4)."""
MOST_WORDS: Final = 300
"""Characters of the endpoint's words in a sentence."""

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_TOKEN_LIKE: Final = re.compile(r"[A-Za-z0-9_\-.~+/=]{40,}")
"""No word of any language is so long."""
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\s]+")
"""Also what turns the direction of writing, or cannot be seen."""


class TokenRefused(Exception):
    """No access token. ``str()`` is a sentence for people, without a secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire: the beginning of the content, and where a redirect would lead (a host)."""

    status: int
    content: bytes
    content_type: str = ""
    leads_to: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token, how long it is good, and the refresh token that takes the former's place, if any."""

    access_token: str = field(repr=False)
    lifetime: timedelta
    refresh_token: str = field(default="", repr=False)


def understand(answer: Answer, *, host: str, label: str, grant: str, secrets: Collection[str]) -> Granted:
    """The token that the endpoint at `host` gave to `label`, such as “the route “Main””. Raises :class:`TokenRefused`.

    `grant` is the grant type of the request; `secrets` are what it was asked with: they are taken out of its words.
    """
    where = f"The token endpoint {host}"
    if 300 <= answer.status <= 399:
        leads = f" to {answer.leads_to}" if answer.leads_to else ""
        raise TokenRefused(
            f"{where} leads on{leads} (HTTP {answer.status}), where no secret is sent. "
            f"Enter the address that it leads to as the token address of {label}, if you trust it."
        )
    said = _said(answer.content)
    if said is None:
        raise TokenRefused(_no_json(where, answer, label))
    token = said.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not token:
        raise TokenRefused(_refusal(where, answer.status, said, label, grant, secrets))
    kind = said.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused(f"{where} gave a token of a kind that no mail server takes. Check the scope of {label}.")
    refresh_token = said.get("refresh_token") or ""
    if not is_token(token) or (refresh_token and not is_token(refresh_token)):
        raise TokenRefused(f"{where} gave a token that AUTH cannot carry. Check the token address of {label}.")
    return Granted(token, _lifetime(said.get("expires_in")), refresh_token)


def is_token(value: object) -> bool:
    """Whether this can be a token: printable ASCII of some length (RFC 6749, appendix A.12)."""
    return isinstance(value, str) and len(value) <= MOST_CHARACTERS and _TOKEN.fullmatch(value) is not None


def _said(content: bytes) -> Mapping[str, Any] | None:
    """The answer's JSON object; None when it is something else."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _lifetime(expires_in: object) -> timedelta:
    """Some endpoints write the seconds as a text."""
    try:
        seconds = float(expires_in) if isinstance(expires_in, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if isinstance(expires_in, bool) or math.isnan(seconds) or seconds <= 0:
        return LIFETIME_UNSAID
    return timedelta(seconds=min(seconds, LONGEST_LIFETIME.total_seconds()))


def _no_json(where: str, answer: Answer, label: str) -> str:
    if answer.status == 429 or answer.status >= 500:
        return f"{where} does not work at the moment (HTTP {answer.status}). It is asked again by itself."
    if answer.content_type in {"text/html", "application/xhtml+xml"} or answer.content.lstrip()[:1] == b"<":
        return (
            f"{where} answered with a web page (HTTP {answer.status}) instead of a token. "
            f"Check the token address of {label}: it is not the page where people log in."
        )
    return (
        f"{where} answered (HTTP {answer.status}) with something that is no JSON. Check the token address of {label}."
    )


_MENDS: Final[Mapping[str, str]] = {
    "invalid_grant": "does not take the refresh token any more, which expired or was revoked{words}. "
    "Have a new one issued, and type it at {label}.",
    "invalid_client": "does not know client ID and client secret{words}. "
    "Check both at {label}: client secrets expire, and their ID is not the secret itself.",
    "unauthorized_client": "does not let this client have tokens in this way{words}. "
    "Allow it there, or choose the other grant at {label}.",
    "unsupported_grant_type": "knows no such grant{words}. Choose the other grant at {label}.",
    "invalid_scope": "does not give this scope{words}. Check the scope of {label}.",
    "access_denied": "denied access{words}. Have an administrator there consent to what {label} asks for.",
    "temporarily_unavailable": "has no time{words}. It is asked again by itself.",
    "slow_down": "was asked too often{words}. It is asked again by itself.",
    "server_error": "made an error{words}. It is asked again by itself.",
}
"""RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5. What else there is says it in its own words."""


def _refusal(where: str, status: int, said: Mapping[str, Any], label: str, grant: str, secrets: Collection[str]) -> str:
    code = said.get("error")
    if code == "invalid_grant" and grant != "refresh_token":  # there is none that could have expired
        code = "unauthorized_client"
    mend = _MENDS.get(code, "") if isinstance(code, str) else ""
    words = words_of(said.get("error_description") or ("" if mend else code), secrets)
    told = f" (“{words}”)" if words else ""
    if mend:
        return f"{where} {mend.format(words=told, label=label)}"
    if status == 429 or status >= 500:
        return f"{where} does not work at the moment (HTTP {status}){told}. It is asked again by itself."
    return f"{where} gave no token (HTTP {status}){told}. Check tenant or token address, client and scope of {label}."


def words_of(said: object, secrets: Collection[str]) -> str:
    """What an endpoint said, in a line of :data:`MOST_WORDS` characters without its full stop, and without a secret."""
    if not isinstance(said, str):
        return ""
    text = said.encode("utf-8", "replace").decode()  # half a character of JSON's escapes is none that can be kept
    for secret in filter(None, secrets):
        for written in {secret, quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(written, "…")
    text = _TOKEN_LIKE.sub("…", text)
    text = " ".join(_UNPRINTABLE.sub(" ", text).replace("“", "'").replace("”", "'").split())
    return text[:MOST_WORDS].rstrip(" .")
