"""Merge a compiled content with one message's row into the bytes of a mail. A row gives the same bytes, always."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache
from typing import Any

from campaign.lib.signing import (
    MIRROR,
    UNSUBSCRIBE,
    UNSUBSCRIBE_BY_MAIL,
    link_prefix,
    link_suffix,
    own_names,
    return_token,
    token,
)
from deliveries.mail import Mail
from deliveries.personalization.budget import Budget
from deliveries.personalization.sandbox import Environment, variable
from deliveries.rendering import dkim, encode, headers, tracking
from deliveries.rendering.compile import MAIL_FORMAT, MAY_BE_TRACKED, Compiled
from deliveries.rendering.encode import MessageError
from deliveries.rendering.links import HTML, TEXT, Link
from deliveries.rendering.mime import Skeleton, skeleton
from deliveries.rendering.return_path import ReturnPath, envelope_sender, unsubscription_mailto
from deliveries.rendering.template import Template, part_template

__all__ = ["Draft", "MessageError", "MessageRow", "Renderer"]

CRLF = "\r\n"


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What rendering takes of a message. ``values`` are in the order of the compiled fields, ``dated_at`` is aware."""

    id: int
    address: str
    values: Sequence[Any]
    dated_at: datetime


@dataclass(slots=True)
class Draft:
    """A mail that wants its signature: whole header fields, each ended by CRLF, and the body in pieces as
    :meth:`deliveries.rendering.mime.Skeleton.fill` gives it."""

    id: int
    sender: str
    recipient: str
    fields: list[bytes]
    body: list[bytes]
    skeleton: Skeleton
    timestamp: int
    smtputf8: bool
    envelope_id: str

    @property
    def octets(self) -> int:
        """How much memory it takes beyond the files that it shares with others."""
        return sum(map(len, self.body[::2]))


class Renderer:
    """A content prepared for many messages.

    ``clock`` (seconds) bounds the time of each; without it counts do. ``signers`` gives the DKIM keys; it is asked with
    the first mail, so that a mirror page needs none.
    """

    def __init__(
        self,
        compiled: Compiled,
        content_id: int,
        key: bytes,
        clock: Callable[[], float] | None = None,
        signers: Callable[[], Sequence[dkim.Signer]] = tuple,
    ) -> None:
        self.compiled = compiled
        self.content_id = content_id
        self.key = key
        self.clock = clock
        self.signers = signers
        self.names = [variable(path) for path in compiled.fields]
        self._return_path = ReturnPath(compiled.return_path)
        plain = Environment(autoescape=False)
        self.headers = {
            name: Template(plain, getattr(compiled, name), label)
            for name, label in (
                ("subject", "the subject"),
                ("sender_name", "the sender name"),
                ("sender_address", "the sender address"),
                ("reply_name", "the reply name"),
                ("reply_address", "the reply address"),
                ("error_address", "the error address"),
                ("investigation_address", "the investigation address"),
            )
        }
        one_line = Environment(autoescape=False, write=headers.value_of_one_line, write_text=str)
        self.smtp_headers = Template(one_line, compiled.smtp_headers, headers.WHERE) if compiled.smtp_headers else None
        self.is_tracked = compiled.is_tracked
        self._templates: dict[tuple[str, bool, bool], Template] = {}
        self.constants: dict[str, Any] = {
            variable("delivery.label"): compiled.label,
            variable("delivery.code"): compiled.code,
            variable("delivery.sender_address"): None,
            variable("delivery.sender_name"): None,
        }

    def template(self, part: str, *, tracked: bool, sent: bool = False) -> Template:
        """A part as a person reads it, or as it is sent: in quoted-printable, unless it goes in base64."""
        key = part, tracked, sent
        if key not in self._templates:
            self._templates[key] = self._prepared(part, tracked=tracked, sent=sent)
        return self._templates[key]

    def _prepared(self, part: str, *, tracked: bool, sent: bool) -> Template:
        compiled, links = self.compiled, self.compiled.links
        source = getattr(compiled, part)
        if tracked:
            unseen = {"pixel_at": compiled.pixel_at, "honeypot_at": compiled.honeypot_at} if part == HTML else {}
            source = tracking.tracked(source, part, links, compiled.base_url, self._suffix, **unseen)
        else:
            source = tracking.plain(source, part, links)
        in_base64 = compiled.html_base64 if part == HTML else compiled.text_base64
        if sent and not in_base64:
            return part_template(source, part, encode.quoted_printable, tracking.encoded_around_marks)
        return part_template(source, part, encode.line_breaks)

    def _suffix(self, number: int) -> str:
        return link_suffix(number, self.key)

    @cached_property
    def _marked(self) -> dict[str, Template]:
        """Both parts with a mark around each tracked address."""
        return {
            part: part_template(
                tracking.marked(getattr(self.compiled, part), part, self.compiled.links), part, encode.line_breaks
            )
            for part in (HTML, TEXT)
        }

    @cached_property
    def links(self) -> dict[int, Link]:
        """The tracked links, by their numbers."""
        return {link.number: link for link in self.compiled.links if link.is_tracked}

    def destination(self, row: MessageRow, number: int) -> str:
        """Where a tracked link of this message leads, in ASCII.

        Raises :class:`MessageError` when the message cannot be made, the link is not in it, or leads nowhere.
        """
        link = self.links[number]
        if link.target:
            return link.target
        part = link.places[0].part
        written = self._merge(row).part(self._marked[part])
        try:
            return tracking.marked_address(written, part, link)
        except ValueError as error:
            raise MessageError(str(error)) from None

    def html(self, row: MessageRow) -> str:
        """The HTML of the mail without its pixel, which is also its mirror page. Line breaks are ``\\n``; in the mail
        they are CRLF.

        Raises :class:`MessageError`.
        """
        merge = self._merge(row)
        return merge.part(self.template(HTML, tracked=merge.is_tracked))

    def text(self, row: MessageRow) -> str:
        """The text of the mail. Raises :class:`MessageError`."""
        merge = self._merge(row)
        return merge.part(self.template(TEXT, tracked=merge.is_tracked))

    def header(self, row: MessageRow, name: str) -> str:
        """The text of a header or address of the mail, such as ``subject``. Raises :class:`MessageError`."""
        return self._merge(row).header(name)

    def additional_headers(self, row: MessageRow) -> str:
        """The lines of the additional SMTP headers. Raises :class:`MessageError`."""
        return self._merge(row).part(self.smtp_headers) if self.smtp_headers else ""

    def investigation_address(self, row: MessageRow) -> str:
        """Where a bounce of this message goes that no rule could qualify; empty when the delivery names no address.

        Raises :class:`MessageError`.
        """
        address = self._merge(row).header("investigation_address")
        return encode.wire_address("the investigation address", address) if address else ""

    def mail(self, row: MessageRow) -> Mail:
        """The whole mail, signed, and its envelope.

        Raises :class:`MessageError` when this message cannot be made, and whatever getting at the keys raises.
        """
        return self.signed(self.draft(row))

    def draft(self, row: MessageRow) -> Draft:
        """The mail without its signatures. Raises :class:`MessageError` when this message cannot be made."""
        merge = self._merge(row)
        own_name, boundary = own_names(row.id, self.key)
        recipient = encode.wire_address("the recipient's address", row.address)
        sender = encode.wire_address("the sender address", merge.sender_address)
        error_address = encode.wire_address("the error address", merge.header("error_address") or sender)
        fields = [
            _date_field(merge.dated_at),
            encode.address_header("From", merge.sender_name, sender),
        ]
        if reply := merge.header("reply_address"):
            reply = encode.wire_address("the reply address", reply)
            fields.append(encode.address_header("Reply-To", merge.header("reply_name"), reply))
        fields += [
            encode.address_header("To", "", recipient),
            encode.header("Subject", merge.header("subject")),
            f"Message-ID: <{own_name}@{self._message_domain}>\r\n".encode(),
            self._ways_out(merge.unsubscribe_url, error_address, row.id),
        ]
        if self.compiled.base_url.startswith("https://"):  # RFC 8058 section 3.1: one click takes an HTTPS address
            fields.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        if self.compiled.language:
            fields.append(encode.header("Content-Language", encode.check_value("the language", self.compiled.language)))
        if self.smtp_headers:
            fields += headers.fields(merge.part(self.smtp_headers))
        fields.append(b"MIME-Version: 1.0\r\n")
        compiled = self.compiled
        tracked = merge.is_tracked
        text = merge.body(self.template(TEXT, tracked=tracked, sent=True)) if compiled.text else b""
        wanted = compiled.html and not merge.is_text_only
        html = merge.body(self.template(HTML, tracked=tracked, sent=True)) if wanted else b""
        frame = self._text_only if merge.is_text_only else self._skeleton
        content_fields, body = frame.fill(f"=_{boundary}".encode(), text, html)
        fields += content_fields
        if body[-1] and not body[-1].endswith(b"\r\n"):
            body[-1] += b"\r\n"
        return Draft(
            id=row.id,
            sender=envelope_sender(error_address, self._return_path, return_token(row.id, self.key)),
            recipient=recipient,
            fields=fields,
            body=body,
            skeleton=frame,
            timestamp=int(merge.dated_at.timestamp()),
            smtputf8=not (recipient.isascii() and sender.isascii() and error_address.isascii() and reply.isascii()),
            envelope_id=merge.identifier,
        )

    def signed(self, draft: Draft) -> Mail:
        """The whole mail. Raises whatever getting at the keys raises."""
        signatures = b""
        if self._signers:
            # Fields and body are at hand here; a signer that got the finished mail would have to take it apart again.
            signatures = dkim.signatures(
                self._signers, draft.fields, draft.body, draft.timestamp, is_tight=draft.skeleton.is_tight
            )
        pieces = (b"".join([signatures, *draft.fields, b"\r\n", draft.body[0]]), *draft.body[1:])
        return Mail(
            id=draft.id,
            sender=draft.sender,
            recipient=draft.recipient,
            pieces=pieces,
            smtputf8=draft.smtputf8,
            eight_bit=not all(map(bytes.isascii, pieces)),
            is_transparent=draft.skeleton.is_transparent,
            envelope_id=draft.envelope_id,
        )

    def _ways_out(self, url: str, error_address: str, message_id: int) -> bytes:
        """List-Unsubscribe (RFC 2369, section 3.2); whoever cannot follow the address writes a mail."""
        mailto = ""
        if self.compiled.unsubscribe_by_mail:
            own = return_token(message_id, self.key, UNSUBSCRIBE_BY_MAIL)
            mailto = unsubscription_mailto(error_address, self._return_path, own)
        return f"List-Unsubscribe: <{url}>{f',{CRLF} <{mailto}>' if mailto else ''}{CRLF}".encode()

    @cached_property
    def _skeleton(self) -> Skeleton:
        return skeleton(self.compiled)

    @cached_property
    def _text_only(self) -> Skeleton:
        """Made when the first person wants it: with its attachments it may have many megabytes."""
        return skeleton(replace(self.compiled, html=""))

    @cached_property
    def _signers(self) -> Sequence[dkim.Signer]:
        return self.signers()

    @cached_property
    def _message_domain(self) -> str:
        return encode.wire_address("the message domain", f"x@{self.compiled.message_domain}")[2:]

    def _merge(self, row: MessageRow) -> "_Merge":
        return _Merge(self, row)


@lru_cache(maxsize=64)
def _date_field(dated_at: datetime) -> bytes:
    """The messages of a part share their date."""
    return b"Date: " + format_datetime(dated_at).encode() + b"\r\n"


class _Merge:
    """One message being made: its values once, each part when it is asked for."""

    def __init__(self, renderer: Renderer, row: MessageRow) -> None:
        self.renderer = renderer
        self.row = row
        self.budget = Budget(renderer.clock, renderer.compiled.seconds)
        if row.dated_at.tzinfo is None:
            raise ValueError(
                "A message's date needs a time zone: without one, the same row would give other bytes elsewhere."
            )
        self.dated_at = row.dated_at.astimezone(UTC)
        compiled = renderer.compiled
        if len(row.values) != len(compiled.fields):
            raise MessageError("The personal values of this message are not there any more; it cannot be made again.")
        self.identifier = token(MIRROR, renderer.content_id, row.id, renderer.key)
        self.unsubscribe_url = f"{compiled.base_url}/u/{token(UNSUBSCRIBE, renderer.content_id, row.id, renderer.key)}"
        self.values = {
            **renderer.constants,
            **dict(zip(renderer.names, row.values, strict=True)),
            variable("recipient.address"): row.address,
            variable("message.identifier"): self.identifier,
            variable("message.mirror_url"): f"{compiled.base_url}/m/{self.identifier}",
            variable("message.unsubscribe_url"): self.unsubscribe_url,
            variable("message.date"): self.dated_at,
        }
        self.is_tracked = renderer.is_tracked and self.values[variable(MAY_BE_TRACKED)] is not False
        self._link_prefix = link_prefix(renderer.content_id, row.id, renderer.key) if self.is_tracked else ""
        self.values["_language"] = self.values[variable("recipient.language")] or compiled.language
        # The sender may be personalized and is itself a field, so it comes first.
        self.sender_address = self.values[variable("delivery.sender_address")] = self.header("sender_address")
        self.sender_name = self.values[variable("delivery.sender_name")] = self.header("sender_name")

    @property
    def is_text_only(self) -> bool:
        """The message has no HTML part: nobody gets one, or this person wants none."""
        compiled = self.renderer.compiled
        if not compiled.text:
            return False
        return compiled.text_only or (compiled.by_preference and self.values[variable(MAIL_FORMAT)] == "text")

    def header(self, name: str) -> str:
        """A header's text, checked. Raises :class:`MessageError`."""
        template = self.renderer.headers[name]
        return encode.check_value(template.where, template.render(self.values, self.budget))

    def part(self, template: Template) -> str:
        """A part of the mail as the template's environment writes it, with this message's links."""
        written = template.render(self.values, self.budget)
        return written.replace(tracking.MARK, self._link_prefix) if self.is_tracked else written

    def body(self, template: Template) -> bytes:
        """A part as it travels: in quoted-printable, its last soft break left out, or else in base64."""
        if template.write is not encode.quoted_printable:
            return encode.base64_body(encode.octets(self.part(template).replace("\n", "\r\n")))
        octets = template.render(self.values, self.budget).removesuffix("=\r\n").encode()
        # In octets this takes a tenth of the time.
        return octets.replace(tracking.MARK.encode(), self._link_prefix.encode()) if self.is_tracked else octets
