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
from deliveries.identifiers import MIRROR, UNSUBSCRIBE, UnknownMessage, find_message, find_returned
from deliveries.models import Message
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


def find(report: Report, envelope_to: str = "") -> list[Message]:
    """The messages that a mail is about, their contents loaded; empty when it is about none of ours.

    ``envelope_to`` is the address that the mail came to, where its source knows it. The first sign that leads to a
    message decides; a sign such as the Message-ID may lead to several.
    """
    ways: tuple[Callable[[], Iterator[Message]], ...] = (
        lambda: _by_return_path((envelope_to, *report.clues.return_addresses)),
        lambda: _by_envelope_id(report.clues.envelope_ids),
        lambda: _by_message_id(report.clues, _addresses(report)),
        lambda: _by_own_headers(report.clues),
        lambda: _by_address_alone([finding.address for finding in report.recipients]),
    )
    for way in ways:
        found = {message.pk: message for message in way()}
        if found:
            return list(found.values())
    return []


def _by_return_path(addresses: Iterable[str]) -> Iterator[Message]:
    """Our envelope sender, in which every message is named."""
    for address in islice(filter(None, addresses), MAX_SIGNS):
        try:
            yield find_returned(address)
        except UnknownMessage:
            continue


def _by_envelope_id(identifiers: Iterable[str]) -> Iterator[Message]:
    """What we gave as ENVID (RFC 3461, section 4.4) and the report repeats (RFC 3464, section 2.2.1)."""
    yield from _by_tokens(MIRROR, islice(identifiers, MAX_SIGNS))


def _by_message_id(clues: Clues, addresses: list[str]) -> Iterator[Message]:
    """A Message-ID is made from a message but leads nowhere by itself: it is compared with those of the messages that
    went to the addresses which the mail names."""
    names = {identifier.partition("@")[0].lower() for identifier in clues.message_ids[:MAX_SIGNS]}
    if not names:
        return
    for message in _to(addresses, MAX_CANDIDATES):
        if own_names(message.pk, bytes(message.content.key))[0] in names:
            yield message


def _by_own_headers(clues: Clues) -> Iterator[Message]:
    """The address in our List-Unsubscribe field."""
    values = " ".join(value for name, value in clues.headers if name == "list-unsubscribe")
    yield from _by_tokens(UNSUBSCRIBE, islice(_UNSUBSCRIBE.findall(unquote("".join(values.split()))), MAX_SIGNS))


def _by_address_alone(addresses: list[str]) -> Iterator[Message]:
    """The last message to each address, where its content put no identifier into the return path."""
    for address in addresses[:MAX_SIGNS]:
        plain = (message for message in _to([address], 1) if message.content.compiled["return_path"] == _PLAIN)
        yield from (each for each in plain if each.processed_at and each.processed_at > now() - BY_ADDRESS_WITHIN)


def _by_tokens(purpose: bytes, tokens: Iterable[str]) -> Iterator[Message]:
    for each in tokens:
        try:
            yield find_message(purpose, each)
        except UnknownMessage:
            continue


def _to(addresses: Iterable[str], limit: int) -> Iterator[Message]:
    """The latest messages to the people who have these addresses, then those to seed addresses."""
    keys = keys_of(addresses)
    people = Recipient.objects.filter(address_key__in=keys).values_list("pk", flat=True)
    messages = Message.objects.select_related("content").order_by("-pk")
    yield from messages.filter(recipient_id__in=list(people))[:limit]
    yield from messages.filter(seed__isnull=False, address__in=keys)[:limit]


def _addresses(report: Report) -> list[str]:
    """Everybody whom the mail names as a recipient, of the report or of the quoted message."""
    named = [each for finding in report.recipients for each in (finding.address, finding.original)]
    quoted = (value for name, value in report.clues.headers if name in _TO_FIELDS)
    named.extend(address for value in quoted for address in iter_addresses(value))
    return list(dict.fromkeys(filter(None, named)))[:MAX_SIGNS]
