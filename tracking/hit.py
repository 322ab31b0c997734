"""One click or open as it travels from the web process that saw it to the log."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from campaign.lib.clock import now
from tracking.identity import new_event_id
from tracking.models import EventKind, UserAgent

MAX_ADDRESS = 45


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody or something opened, clicked or looked; nothing is judged yet. ``is_head``: only headers were wanted."""

    id: int
    kind: EventKind
    content_id: int
    message_id: int
    link: int
    at: datetime
    is_head: bool
    address: str
    user_agent: str

    def to_line(self) -> str:
        """One line of JSON."""
        microseconds = int(self.at.timestamp() * 1_000_000)
        return json.dumps(
            [self.id, self.kind, self.content_id, self.message_id, self.link, microseconds, self.is_head,
             self.address, self.user_agent]
        )  # fmt: skip

    @classmethod
    def from_line(cls, line: str) -> "Hit":
        """The inverse of :meth:`to_line`. Raises ``ValueError`` or ``TypeError`` for anything else."""
        *numbers, is_head, address, user_agent = json.loads(line)
        id_, kind, content_id, message_id, link, microseconds = map(int, numbers)
        at = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
        return cls(id_, EventKind(kind), content_id, message_id, link, at, bool(is_head), str(address), str(user_agent))


def hit(
    kind: EventKind, content_id: int, message_id: int, link: int, environ: dict[str, Any], *, by_proxy: bool
) -> Hit:
    """What a request (WSGI) did to a message just now."""
    return Hit(
        new_event_id(),
        kind,
        content_id,
        message_id,
        link,
        now(),
        environ["REQUEST_METHOD"] == "HEAD",
        client_address(environ, by_proxy=by_proxy),
        # Unprintable characters are in no user agent of a person's, and PostgreSQL takes no NUL.
        "".join(filter(str.isprintable, environ.get("HTTP_USER_AGENT", "")))[: UserAgent.MAX_LENGTH],
    )


def client_address(environ: dict[str, Any], *, by_proxy: bool) -> str:
    """The network address a request came from: behind a proxy, the one that the proxy noted last (anybody can write the
    ones before it)."""
    if by_proxy and (forwarded := environ.get("HTTP_X_FORWARDED_FOR", "")):
        return str(forwarded).rpartition(",")[2].strip()[:MAX_ADDRESS]
    return str(environ.get("REMOTE_ADDR", ""))[:MAX_ADDRESS]
