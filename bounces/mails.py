"""The mails that are kept: written once each, whoever brings them, and found again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from django.db import connection
from django.db.models import Exists, OuterRef

from bounces.models import BounceMail, Forward, MailState
from bounces.parsing import Kind
from campaign.lib.sql import statements

SQL = statements(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a mail; texts are such as PostgreSQL takes."""

    digest: str
    source: str
    envelope_to: str
    received_at: datetime
    kind: Kind | None
    state: MailState
    sentence: str
    message_ids: Sequence[int]
    findings: Sequence[dict[str, str]]
    raw: bytes
    octets: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail that was kept before."""

    id: int
    kind: Kind | None
    state: MailState
    is_forwarded: bool


def keep(rows: Iterable[Row]) -> dict[str, int]:
    """Write these mails; the key of each that was not there yet, by its digest. Others with the same mail wait for us,
    until the end of the transaction."""
    rows = sorted(rows, key=lambda row: row.digest)
    if not rows:
        return {}
    columns = {
        "digest": [row.digest for row in rows],
        "source": [row.source for row in rows],
        "envelope_to": [row.envelope_to for row in rows],
        "received_at": [row.received_at for row in rows],
        "kind": [row.kind.value if row.kind else "" for row in rows],
        "state": [row.state.value for row in rows],
        "sentence": [row.sentence for row in rows],
        "message_ids": [f"{{{','.join(map(str, row.message_ids))}}}" for row in rows],
        "findings": [json.dumps(row.findings) for row in rows],
        "raw": [row.raw for row in rows],
        "octets": [row.octets for row in rows],
    }
    connection.ensure_connection()
    # Django's own cursor writes values into the statement.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(SQL["keep_mails"].encode(), columns)
        return dict(cursor.fetchall())


def earlier(digests: Iterable[str]) -> dict[str, Earlier]:
    """The mails with these digests that are kept."""
    digests = list(digests)
    if not digests:
        return {}
    found = BounceMail.objects.filter(digest__in=digests).values_list(
        "digest", "pk", "kind", "state", Exists(Forward.objects.filter(mail_id=OuterRef("pk")))
    )
    return {
        digest: Earlier(pk, Kind(kind) if kind else None, MailState(state), is_forwarded)
        for digest, pk, kind, state, is_forwarded in found
    }
