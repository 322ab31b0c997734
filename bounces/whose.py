"""Whose it is: from what a mail quotes to our messages, the most trustworthy sign first.

Every sign but the last was made by us and cannot be guessed, so nobody can put a stranger's address in quarantine by
writing a bounce of his own. An address alone proves nothing; it is believed only for contents whose return path
carries no identifier (RETURN_PATH=plain), where servers often give nothing else back.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Final
from urllib.parse import unquote

from bounces.parsing.addresses import iter_addresses
from bounces.parsing.report import Clues, Report
from campaign.lib.clock import now
from campaign.lib.signing import own_names
from deliveries.identifiers import (
    MIRROR,
    UNSUBSCRIBE,
    Lookup,
    UnknownMessage,
    find_message,
    find_returned,
    id_in,
    ids_in,
    keyed,
    look_up,
)
from deliveries.models import Content, Message
from deliveries.rendering.return_path import ReturnPath
from recipients.models import Recipient
from recipients.quarantine import keys_of

MAX_SIGNS: Final = 50
"""Of each sort; a mail that lists more addresses or identifiers is no bounce of one message."""
MAX_CANDIDATES: Final = 500
"""Messages to one person that a Message-ID is compared with, the latest first."""
BY_ADDRESS_WITHIN: Final = timedelta(days=10)
"""How old a message may be that is found by its address alone: servers try for up to a week."""

_PLAIN: Final = ReturnPath.PLAIN.value
_UNSUBSCRIBE = re.compile(r"/u/([A-Za-z0-9_-]{30,60})(?![A-Za-z0-9_-])")
_TO_FIELDS: Final = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")


def looked_up(mails: Iterable[tuple[Report, str, str | None]]) -> Lookup:
    """What finds the messages that these mails name by a sign of ours, loaded in one query: reports, the addresses that
    they came to, and subjects, where one may name a message."""
    ids: set[int] = set()
    for report, envelope_to, subject in mails:
        for address in _return_paths(report, envelope_to):
            ids.update(ids_in(address))
        ids.update(ids_in(f"{subject or ''}@"))
        tokens = (*_envelope_ids(report.clues), *_unsubscribe_tokens(report.clues))
        ids.update(found for token in tokens if (found := id_in(token)) is not None)
    return keyed(ids).get


def find(report: Report, envelope_to: str = "", look: Lookup = look_up) -> list[Message]:
    """The messages that a mail is about, the keys of their contents loaded; empty when it is about none of ours.

    ``envelope_to`` is the address that the mail came to, where its source knows it. The first sign that leads to a
    message decides; a sign such as the Message-ID may lead to several.
    """
    ways: tuple[Callable[[], Iterator[Message]], ...] = (
        lambda: _by_return_path(_return_paths(report, envelope_to), look),
        lambda: _by_tokens(MIRROR, _envelope_ids(report.clues), look),
        lambda: _by_message_id(report.clues, _addresses(report)),
        lambda: _by_tokens(UNSUBSCRIBE, _unsubscribe_tokens(report.clues), look),
        lambda: _by_address_alone([finding.address for finding in report.recipients]),
    )
    for way in ways:
        found = {message.pk: message for message in way()}
        if found:
            return list(found.values())
    return []


def _return_paths(report: Report, envelope_to: str) -> Iterator[str]:
    """Where our envelope sender may stand, in which every message is named."""
    return islice(filter(None, (envelope_to, *report.clues.return_addresses)), MAX_SIGNS)


def _envelope_ids(clues: Clues) -> Iterator[str]:
    """What we gave as ENVID (RFC 3461, section 4.4) and the report repeats (RFC 3464, section 2.2.1)."""
    return islice(clues.envelope_ids, MAX_SIGNS)


def _unsubscribe_tokens(clues: Clues) -> Iterator[str]:
    """The address in our List-Unsubscribe field."""
    values = " ".join(value for name, value in clues.headers if name == "list-unsubscribe")
    return islice(_UNSUBSCRIBE.findall(unquote("".join(values.split()))), MAX_SIGNS)


def _by_return_path(addresses: Iterable[str], look: Lookup) -> Iterator[Message]:
    for address in addresses:
        try:
            yield find_returned(address, look)
        except UnknownMessage:
            continue


def _by_tokens(purpose: bytes, tokens: Iterable[str], look: Lookup) -> Iterator[Message]:
    for each in tokens:
        try:
            yield find_message(purpose, each, look)
        except UnknownMessage:
            continue


def _by_message_id(clues: Clues, addresses: list[str]) -> Iterator[Message]:
    """A Message-ID is made from a message but leads nowhere by itself: it is compared with those of the messages that
    went to the addresses which the mail names."""
    names = {identifier.partition("@")[0].lower() for identifier in clues.message_ids[:MAX_SIGNS]}
    if not names:
        return
    for message in _to(addresses, MAX_CANDIDATES):
        if own_names(message.pk, bytes(message.content.key))[0] in names:
            yield message


def _by_address_alone(addresses: list[str]) -> Iterator[Message]:
    """The last message to each address, where its content put no identifier into the return path."""
    since = now() - BY_ADDRESS_WITHIN
    for address in addresses[:MAX_SIGNS]:
        for message in _to([address], 1):
            if message.processed_at and message.processed_at > since and _is_plain(message.content_id):
                yield message


def _is_plain(content_id: int) -> bool:
    """Asked of the database: a content with attachments has megabytes."""
    return Content.objects.filter(pk=content_id, compiled__return_path=_PLAIN).exists()


def _to(addresses: Iterable[str], limit: int) -> Iterator[Message]:
    """The latest messages to the people who have these addresses, then those to seed addresses."""
    keys = keys_of(addresses)
    people = Recipient.objects.filter(address_key__in=keys).values_list("pk", flat=True)
    messages = Message.objects.select_related("content").defer("content__compiled").order_by("-pk")
    yield from messages.filter(recipient_id__in=list(people))[:limit]
    yield from messages.filter(seed__isnull=False, address__in=keys)[:limit]


def _addresses(report: Report) -> list[str]:
    """Everybody whom the mail names as a recipient, of the report or of the quoted message."""
    named = [each for finding in report.recipients for each in (finding.address, finding.original)]
    quoted = (value for name, value in report.clues.headers if name in _TO_FIELDS)
    named.extend(address for value in quoted for address in iter_addresses(value))
    return list(dict.fromkeys(filter(None, named)))[:MAX_SIGNS]
