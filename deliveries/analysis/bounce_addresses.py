"""Error and investigation addresses: judged once when they are fixed, else for every message of an analysis."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg import sql

from campaign.lib.clock import now
from deliveries.analysis.source import fields
from deliveries.models import Content, Level, message_range
from deliveries.personalization.check import used_fields
from deliveries.personalization.fields import PERSONAL, Field
from deliveries.rendering.compile import Compiled
from deliveries.rendering.encode import MessageError, wire_address
from deliveries.rendering.merge import MessageRow, Renderer
from deliveries.rendering.return_path import ReturnPath, envelope_sender

Verdict = tuple[Level, str]
"""How bad it is, and a sentence for people."""

MOST_CAUSES = 5
_TOKEN = "a" * 32


class DomainRefused(Exception):
    """The platform lets no bounce go to this domain. ``str()`` is a sentence for people."""


def check_domain(where: str, address: str) -> None:
    """Raises :class:`DomainRefused` unless the platform allows the address's domain."""
    domain = address.rpartition("@")[2].lower()
    allowed = {name.lower() for name in settings.BOUNCE_DOMAINS}
    if allowed and domain not in allowed:
        raise DomainRefused(f"{where} may not be at {domain}. Allowed: {', '.join(sorted(allowed))}.")


def check_fixed(where: str, address: str, form: ReturnPath) -> None:
    """Raises :class:`MessageError` and :class:`DomainRefused` for an address without personalization."""
    wire = wire_address(where, address)
    check_domain(where[:1].upper() + where[1:], wire)
    envelope_sender(wire, form, _TOKEN)


def address_findings(content: Content, compiled: Compiled) -> Iterator[Verdict]:
    """What is wrong with the addresses of the analysed messages, all of them: each different one is looked at once."""
    renderer = Renderer(compiled, content.pk, bytes(content.key))
    known = fields(content.delivery)
    for name, where, form in (
        ("error_address", "the error address", ReturnPath(compiled.return_path)),
        ("investigation_address", "the investigation address", ReturnPath.PLAIN),
    ):
        template = getattr(compiled, name)
        if not _personal_fields(template, where, known):
            yield from _findings_for_all(renderer, name, where, form)
            continue
        found = _Problems()
        for row, count in _different_rows(content, compiled, template, where):
            found.look(renderer, row, count, name, where, form)
        yield from found.findings(where)


def _personal_fields(template: str, where: str, known: dict[str, Field]) -> list[str]:
    return [path for path in used_fields(template, where, known) if path.startswith(PERSONAL)]


def _findings_for_all(renderer: Renderer, name: str, where: str, form: ReturnPath) -> Iterator[Verdict]:
    """An address that is the same for everybody."""
    nobody = MessageRow(0, "", [None] * len(renderer.compiled.fields), now())
    try:
        if address := renderer.header(nobody, name):
            check_fixed(where, address, form)
    except (MessageError, DomainRefused) as error:
        yield Level.ERROR, str(error)


@dataclass
class _Problems:
    """Causes with the number of messages each has, and an address as an example."""

    counts: Counter[tuple[bool, str]] = field(default_factory=Counter)
    examples: dict[tuple[bool, str], str] = field(default_factory=dict)

    def look(self, renderer: Renderer, row: MessageRow, count: int, name: str, where: str, form: ReturnPath) -> None:
        """Judge the address that this row gives, which ``count`` messages share."""
        try:
            if address := renderer.header(row, name):
                check_fixed(where, address, form)
            return
        except MessageError as error:
            cause = (False, str(error))
        except DomainRefused as error:
            cause = (True, str(error))
        self.counts[cause] += count
        self.examples.setdefault(cause, row.address)

    def findings(self, where: str) -> Iterator[Verdict]:
        """A domain that is not allowed stops the delivery; a value that makes no address fails its messages."""
        for (refused, sentence), count in self.counts.most_common(MOST_CAUSES):
            example = self.examples[refused, sentence]
            end = "" if refused else " Such messages fail, the others leave."
            level = Level.ERROR if refused else Level.WARNING
            yield level, f"{count:,} messages, such as the one to {example}: {sentence}{end}"
        if len(self.counts) > MOST_CAUSES:
            yield Level.WARNING, f"{len(self.counts) - MOST_CAUSES} further causes concern {where}."


def _different_rows(
    content: Content, compiled: Compiled, template: str, where: str
) -> Iterator[tuple[MessageRow, int]]:
    """A row for each different combination of the values that the template uses, and how many messages have it."""
    paths = _personal_fields(template, where, fields(content.delivery))
    by_address = "recipient.address" in paths
    places = [compiled.fields.index(path) for path in paths if path in compiled.fields]
    for values, address, count, first_id in _combinations(content.delivery_id, places, by_address=by_address):
        row_values: list[Any] = [None] * len(compiled.fields)
        for place, value in zip(places, json.loads(values), strict=True):
            row_values[place] = value
        yield MessageRow(first_id, address, row_values, content.created_at), count


def _combinations(delivery_id: int, places: Sequence[int], *, by_address: bool) -> Iterator[tuple[str, str, int, int]]:
    columns = [sql.SQL("frozen.values -> {}").format(sql.Literal(place)) for place in places]
    statement = sql.SQL(
        "SELECT jsonb_build_array({columns}), min(message.address), count(*), min(message.id) "
        "FROM deliveries_message message JOIN deliveries_messagevalues frozen ON frozen.message_id = message.id "
        "WHERE message.id BETWEEN %(first)s AND %(last)s GROUP BY {groups}"
    ).format(
        columns=sql.SQL(", ").join(columns),
        groups=sql.SQL(", ").join([*columns, *([sql.SQL("message.address")] if by_address else [sql.SQL("()")])]),
    )
    first, last = message_range(delivery_id)
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor), {"first": first, "last": last})
        yield from cursor
