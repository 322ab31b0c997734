"""Some of the real messages, made as they would be sent, so that what only shows with data shows before the send."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from deliveries.analysis.patterns import telling_messages
from deliveries.keys import signer
from deliveries.mail import Mail
from deliveries.models import Content
from deliveries.personalization.branches import Branch, mark, taken
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, MessageRow, Renderer
from deliveries.rows import chosen_rows, sample_rows

FIRST: Final = 100
"""Messages from the beginning of the delivery."""
TELLING: Final = 300
"""Messages chosen because their values differ from those of the others."""
SECONDS: Final = 15
"""After which no further message is tried, so that a content that takes long does not hold the analysis up."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What is remembered of a message that was made: octets of the whole mail, and of its HTML as programs read it."""

    address: str
    subject: str
    size: int
    html_size: int


@dataclass
class Sample:
    """What was made, and why the others could not be: addresses by cause.

    ``example`` is one of the mails; more than one would be held for nothing. ``branches`` are the ways through the
    content, ``untaken`` those that none of the messages went.
    """

    made: list[Tried] = field(default_factory=list)
    failing: dict[str, list[str]] = field(default_factory=dict)
    example: Mail | None = None
    branches: tuple[Branch, ...] = ()
    untaken: tuple[Branch, ...] = ()

    @property
    def subjects(self) -> list[str]:
        """The subject of each message that was made."""
        return [one.subject for one in self.made]

    @property
    def tried(self) -> int:
        """Messages that were tried."""
        return len(self.made) + sum(map(len, self.failing.values()))


def take_sample(content: Content, compiled: Compiled) -> Sample:
    """Make the first messages of a content, and those whose values send them other ways than most."""
    renderer = Renderer(
        compiled,
        content.pk,
        bytes(content.key),
        clock=time.monotonic,
        signers=lambda: [signer(key_id) for key_id in content.dkim_keys],
    )
    marked, branches = _marked(compiled)
    ways = Renderer(marked, content.pk, bytes(content.key), clock=time.monotonic)
    sample, went = Sample(branches=branches), set[int]()
    until = time.monotonic() + SECONDS
    for row in _rows(content, compiled):
        if time.monotonic() > until:
            break
        try:
            mail, subject, html = renderer.mail(row), renderer.header(row, "subject"), renderer.html(row)
        except MessageError as error:
            sample.failing.setdefault(str(error), []).append(row.address)
            continue
        sample.made.append(Tried(row.address, subject, mail.octets, len(html.encode())))
        sample.example = sample.example or mail
        went |= _ways(ways, row)
    sample.untaken = tuple(branch for number, branch in enumerate(branches) if number not in went)
    return sample


def _rows(content: Content, compiled: Compiled) -> Iterator[MessageRow]:
    """Telling ones first: they are what the time must suffice for."""
    telling = telling_messages(content.delivery_id, compiled, TELLING)
    yield from chosen_rows(telling, content.created_at)
    known = set(telling)
    yield from (row for row in sample_rows(content, FIRST, content.created_at) if row.id not in known)


def _marked(compiled: Compiled) -> tuple[Compiled, tuple[Branch, ...]]:
    """The content with its branches marked."""
    found: list[Branch] = []

    def marked(source: str, where: str) -> str:
        result, branches = mark(source, where, first=len(found))
        found.extend(branches)
        return result

    content = replace(
        compiled,
        subject=marked(compiled.subject, "the subject"),
        html=marked(compiled.html, "the HTML content"),
        text=marked(compiled.text, "the text content"),
        smtp_headers=marked(compiled.smtp_headers, "the additional SMTP headers"),
        # The marks move what the links stand at, and links lead no message another way.
        links=(),
        pixel_at=-1,
        honeypot_at=-1,
    )
    return content, tuple(found)


def _ways(ways: Renderer, row: MessageRow) -> frozenset[int]:
    """The branches that a message goes through; none when its marks make it too long."""
    try:
        parts = ways.html(row), ways.text(row), ways.header(row, "subject"), ways.additional_headers(row)
    except MessageError:
        return frozenset()
    return taken("".join(parts))
