"""What a spam filter of the operator's says about a mail: Rspamd (HTTP, ``/checkv2``) or SpamAssassin's ``spamd``."""

import http.client
import json
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

SECONDS: Final = 15.0
MOST_OCTETS: Final = 1_000_000
"""Of the filter's answer."""

RSPAMD_PORT: Final = 11333
SPAMD_PORT: Final = 783

_SCORE = re.compile(
    r"^Spam:[ \t]*(True|False|Yes|No)[ \t]*;[ \t]*(-?[0-9.]{1,12})[ \t]*/[ \t]*(-?[0-9.]{1,12})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_GOOD_ACTIONS: Final = frozenset({"no action", "greylist", "soft reject", ""})
"""What Rspamd does to mail that is no spam; to greylist is to let a stranger wait."""


class NoVerdict(Exception):
    """The filter cannot be reached or says nothing that can be understood. ``str()`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A score, the one from which mail is spam, whether this one is, and the rules that weighed most, as written."""

    score: float
    limit: float
    is_spam: bool
    rules: tuple[str, ...]


def judge(url: str, mail: bytes) -> Verdict:
    """Have a mail judged by the filter at ``url``: ``http(s)://host:11333`` or ``spamd://host:783``.

    Raises :class:`NoVerdict`.
    """
    try:
        parts = urlsplit(url)
        ask = _spamd if parts.scheme == "spamd" else _rspamd
        default = SPAMD_PORT if parts.scheme == "spamd" else RSPAMD_PORT
        return ask(parts.hostname or "", parts.port or default, mail, encrypted=parts.scheme == "https")
    except (OSError, http.client.HTTPException):
        raise NoVerdict("The spam filter cannot be reached.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoVerdict("The spam filter's answer cannot be understood.") from None


def _rspamd(host: str, port: int, mail: bytes, *, encrypted: bool) -> Verdict:
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
        if encrypted
        else http.client.HTTPConnection(host, port, timeout=SECONDS)
    )
    try:
        # “Pass: all” has every rule looked at, although the score may be beyond the limit before.
        connection.request("POST", "/checkv2", body=mail, headers={"Pass": "all"})
        response = connection.getresponse()
        body = response.read(MOST_OCTETS + 1)
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK or len(body) > MOST_OCTETS:
        raise NoVerdict(f"The spam filter answers {response.status} instead of a score.")
    found: dict[str, Any] = json.loads(body)
    weights = {str(name)[:60]: float(symbol["score"]) for name, symbol in found.get("symbols", {}).items()}
    heavy = sorted((name for name in weights if weights[name] > 0), key=lambda name: -weights[name])
    return Verdict(
        score=float(found["score"]),
        limit=float(found["required_score"]),
        is_spam=str(found.get("action", "")) not in _GOOD_ACTIONS,
        rules=tuple(f"{name} ({weights[name]:.1f})" for name in heavy),
    )


def _spamd(host: str, port: int, mail: bytes, *, encrypted: bool) -> Verdict:
    until = time.monotonic() + SECONDS
    with socket.create_connection((host, port), timeout=SECONDS) as sock:
        sock.sendall(b"SYMBOLS SPAMC/1.2\r\nContent-length: %d\r\n\r\n" % len(mail) + mail)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) <= MOST_OCTETS and time.monotonic() < until and (piece := sock.recv(65_536)):
            answer += piece
    head, _, body = answer.decode("utf-8", "replace").partition("\r\n\r\n")
    score = _SCORE.search(head.replace("\r", ""))
    if not re.match(r"SPAMD/\S+ 0 ", head) or score is None:
        raise NoVerdict("The spam filter's answer cannot be understood.")
    rules = tuple(rule.strip()[:60] for rule in body[:10_000].replace("\n", ",").split(",") if rule.strip())
    return Verdict(float(score[2]), float(score[3]), score[1].lower() in {"true", "yes"}, rules)
