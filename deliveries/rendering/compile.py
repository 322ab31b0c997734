"""Compile a content once: everything that is the same for all its messages is decided and checked here."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import Any, TypeVar

from deliveries.personalization import header_script
from deliveries.personalization.blocks import Block, resolve
from deliveries.personalization.budget import MAX_SECONDS
from deliveries.personalization.check import used_fields
from deliveries.personalization.errors import PersonalizationErrors, Problem
from deliveries.personalization.fields import PERSONAL, Field
from deliveries.personalization.sandbox import Environment, prepare
from deliveries.rendering.encode import (
    MessageError,
    base64_body,
    base64_lines,
    check_value,
    prefers_base64,
    wire_address,
)
from deliveries.rendering.headers import WHERE as HEADERS
from deliveries.rendering.links import Link
from deliveries.rendering.return_path import ReturnPath
from deliveries.rendering.text import text_from_html
from deliveries.rendering.tracking import Tracking, plan_links, unseen_place

MAIL_FORMAT = "recipient.mail_format"
MAY_BE_TRACKED = "recipient.may_be_tracked"
_MIRROR_LINK = re.compile(r"\bmessage\s*(?:\.\s*mirror_url\b|\[\s*['\"]mirror_url)")


class Mirror(Enum):
    """Which messages have a mirror page: all, none, or those of a content that leads there."""

    DEFAULT = auto()
    ALWAYS = auto()
    NEVER = auto()


VERSION = 3
"""Form of the compiled JSON; contents of every earlier version stay renderable, to the same bytes."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that travels with the message; with a ``content_id`` it is an image inside the HTML (``cid:``).

    It is kept once, ``encoded`` as it travels: base64 in lines ended by CRLF.
    """

    name: str
    content_type: str
    encoded: bytes
    content_id: str = ""

    @classmethod
    def of(cls, name: str, content_type: str, data: bytes, content_id: str = "") -> "AttachedFile":
        """The file with these octets."""
        return cls(name, content_type, base64_body(data), content_id)

    @property
    def data(self) -> bytes:
        """The octets of the file, decoded anew."""
        return base64.b64decode(self.encoded)


@dataclass(frozen=True, slots=True)
class Source:
    """What an author wrote and set. ``base_url`` is the beginning of public links, without a slash at its end."""

    subject: str
    html: str
    text: str
    sender_name: str
    sender_address: str
    reply_name: str
    reply_address: str
    error_address: str
    language: str
    base_url: str
    message_domain: str
    label: str
    code: str
    attachments: tuple[AttachedFile, ...] = ()
    smtp_headers: str = ""
    investigation_address: str = ""
    return_path: ReturnPath = ReturnPath.PLAIN
    mirror: Mirror = Mirror.DEFAULT
    seconds: float = MAX_SECONDS
    text_only: bool = False
    by_preference: bool = False
    unsubscribe_by_mail: bool = False
    tracking: Tracking = field(default_factory=Tracking)


@dataclass(frozen=True, slots=True)
class Compiled:
    r"""A content ready to be merged with messages. The texts are templates whose blocks are resolved.

    ``text_only``: the HTML is the mirror page alone. ``by_preference``: it is for those who prefer text.
    ``links`` know their places in ``html`` and ``text``; ``pixel_at`` and ``honeypot_at`` are places in ``html`` (-1:
    there is none).

    ``fields`` are the fields of recipient and file it uses, in the order of a message's values. Line breaks are ``\n``.
    """

    version: int
    subject: str
    html: str
    text: str
    sender_name: str
    sender_address: str
    reply_name: str
    reply_address: str
    error_address: str
    language: str
    base_url: str
    message_domain: str
    label: str
    code: str
    fields: tuple[str, ...]
    links: tuple[Link, ...]
    attachments: tuple[AttachedFile, ...]
    html_base64: bool
    text_base64: bool
    smtp_headers: str = ""
    investigation_address: str = ""
    return_path: str = ReturnPath.PLAIN
    has_mirror: bool = True
    seconds: float = MAX_SECONDS
    text_only: bool = False
    by_preference: bool = False
    unsubscribe_by_mail: bool = False
    pixel_at: int = -1
    honeypot_at: int = -1

    @property
    def octets(self) -> int:
        """About how much memory it takes."""
        return len(self.html) + len(self.text) + sum(len(file.encoded) for file in self.attachments)

    @property
    def is_tracked(self) -> bool:
        """Links lead over our server, or opens are seen; of those who may be tracked."""
        return self.pixel_at >= 0 or self.honeypot_at >= 0 or any(link.is_tracked for link in self.links)

    def untracked(self) -> "Compiled":
        """The same content with links that lead where their author wrote, and nothing that tells of an open."""
        return replace(self, links=(), pixel_at=-1, honeypot_at=-1)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON column."""
        values = asdict(self)
        for file in values["attachments"]:
            file["data"] = file.pop("encoded").replace(b"\r\n", b"").decode()
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Compiled":
        """The inverse of :meth:`to_json`."""
        files = (
            AttachedFile(file["name"], file["content_type"], base64_lines(file["data"].encode()), file["content_id"])
            for file in values["attachments"]
        )
        return cls(
            **{
                **values,
                "fields": tuple(values["fields"]),
                "links": tuple(map(Link.from_json, values["links"])),
                "attachments": tuple(files),
            }
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the author wrote, with blocks in their places and a text made where none was written."""

    html: str
    text: str
    headers: Mapping[str, str]
    smtp_headers: str

    @property
    def places(self) -> dict[str, str]:
        """Each part by the words that name it to people."""
        headers = {where: self.headers[name] for name, where in _HEADERS.items()}
        return {"the HTML content": self.html, "the text content": self.text, **headers, HEADERS: self.smtp_headers}


def compile_content(source: Source, catalogue: dict[str, Field], blocks: Mapping[str, Block]) -> Compiled:
    """Resolve blocks, make the text, number the links, find the fields.

    Raises :class:`PersonalizationErrors` with everything that is wrong in any part of the content.
    """
    parts = _resolved(source, catalogue, blocks)
    used = _used(parts, catalogue)
    html, text = parts.html, parts.text
    by_preference = source.by_preference and bool(html.strip() and text.strip()) and not source.text_only
    links = plan_links(html, text, source.tracking)
    unseen_at = unseen_place(html) if html.strip() else -1
    pixel_at = unseen_at if source.tracking.opens else -1
    preferences = [MAIL_FORMAT] if by_preference else []
    if source.tracking.is_on:
        preferences.append(MAY_BE_TRACKED)
    return Compiled(
        version=VERSION,
        html=html,
        text=text,
        **parts.headers,
        language=source.language,
        base_url=source.base_url.rstrip("/"),
        message_domain=source.message_domain,
        label=source.label,
        code=source.code,
        fields=tuple(
            dict.fromkeys(path for path in ["recipient.language", *preferences, *used] if path.startswith(PERSONAL)),
        ),
        links=links,
        attachments=source.attachments,
        html_base64=prefers_base64(html),
        text_base64=prefers_base64(text),
        smtp_headers=parts.smtp_headers,
        return_path=source.return_path,
        has_mirror=_has_mirror(source.mirror, html, text),
        seconds=source.seconds,
        text_only=source.text_only,
        by_preference=by_preference,
        unsubscribe_by_mail=source.unsubscribe_by_mail,
        pixel_at=pixel_at,
        honeypot_at=unseen_at if source.tracking.honeypot else -1,
    )


def _resolved(source: Source, catalogue: dict[str, Field], blocks: Mapping[str, Block]) -> _Parts:
    """Raises :class:`PersonalizationErrors` for blocks, header lines, settings and files that cannot be used."""
    problems: list[Problem] = []

    def resolved(written: str, where: str, *, html: bool = False) -> str:
        lines = written.replace("\r\n", "\n").replace("\r", "\n")
        return _try(problems, lambda: resolve(lines, where, blocks, catalogue, html=html), "")

    html = resolved(source.html, "the HTML content", html=True)
    if source.text.strip():
        text = resolved(source.text, "the text content")
    else:
        text = text_from_html(html) if html.strip() else ""
    headers = {name: resolved(getattr(source, name).strip(), where) for name, where in _HEADERS.items()}
    problems += [
        Problem(where, 1, "It must stand on one line. Remove the line break.")
        for name, where in _HEADERS.items()
        if "\n" in headers[name]
    ]
    smtp_headers = resolved(source.smtp_headers.strip("\n"), HEADERS)
    problems += [
        Problem(HEADERS, finding.line, finding.sentence)
        for finding in header_script.findings(smtp_headers, taken=taken_headers(source.reply_address))
        if finding.blocks
    ]
    problems += _settings_problems(source) + _file_problems(source.attachments)
    if problems:
        raise PersonalizationErrors(problems)
    return _Parts(html, text, headers, smtp_headers)


def _used(parts: _Parts, catalogue: dict[str, Field]) -> list[str]:
    """Paths of the fields that the parts use. Raises :class:`PersonalizationErrors` where one cannot be prepared."""
    problems: list[Problem] = []
    used: list[str] = []
    for where, template in parts.places.items():
        used += _try(problems, partial(_ready, template, where, catalogue), ())
    if problems:
        raise PersonalizationErrors(problems)
    return used


def has_mirror_link(html: str, text: str) -> bool:
    """Whether a content (blocks resolved) leads to the message's mirror page."""
    return any(_MIRROR_LINK.search(part) for part in (html, text))


def _has_mirror(mirror: Mirror, html: str, text: str) -> bool:
    if not html.strip():
        return False
    match mirror:
        case Mirror.NEVER:
            return False
        case Mirror.ALWAYS:
            return True
        case Mirror.DEFAULT:
            return has_mirror_link(html, text)


def taken_headers(reply_address: str) -> frozenset[str]:
    """Headers, in lower case, that a delivery writes because of its other properties."""
    return frozenset({"reply-to"}) if reply_address.strip() else frozenset()


_HEADERS = {
    "subject": "the subject",
    "sender_name": "the sender name",
    "sender_address": "the sender address",
    "reply_name": "the reply name",
    "reply_address": "the reply address",
    "error_address": "the error address",
    "investigation_address": "the investigation address",
}


_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,100}@?[A-Za-z0-9.-]{0,100}")
_URL = re.compile(r"https?://[!-;=?-~]{1,400}")

T = TypeVar("T")


def _ready(template: str, where: str, catalogue: dict[str, Field]) -> tuple[str, ...]:
    """Fields of a template that can be prepared for rendering."""
    fields = used_fields(template, where, catalogue)
    prepare(Environment(autoescape=False), template, where)
    return fields


def _settings_problems(source: Source) -> list[Problem]:
    """What would break every message's headers."""
    problems = []
    if not _URL.fullmatch(source.base_url):
        problems.append(
            Problem("the settings", 1, f"“{source.base_url}” is not the beginning of an http or https URL.")
        )
    values = {
        "the message domain": f"x@{source.message_domain}",
        "the error address": source.error_address,
        "the investigation address": source.investigation_address,
    }
    for where, address in values.items():
        try:
            if address and "{" not in address:
                wire_address(where, address)
        except MessageError as error:
            problems.append(Problem(where, 1, str(error)))
    try:
        check_value("the language", source.language)
    except MessageError as error:
        problems.append(Problem("the language", 1, str(error)))
    return problems


def _file_problems(files: Iterable[AttachedFile]) -> list[Problem]:
    """Names and types that could not stand in a header."""
    problems = []
    for file in files:
        where = f"the file “{file.name}”"
        try:
            named = bool(check_value("a file's name", file.name))
        except MessageError:
            named, where = False, "the attachments"
        if not named:
            problems.append(Problem(where, 1, "A file needs a name without line breaks and control characters."))
        if not _CONTENT_TYPE.fullmatch(file.content_type):
            problems.append(Problem(where, 1, "The type of the file is not one such as application/pdf."))
        if file.content_id and not _CONTENT_ID.fullmatch(file.content_id):
            problems.append(Problem(where, 1, "The identifier of the image may hold letters, digits, dots and one @."))
    return problems


def _try(problems: list[Problem], step: Callable[[], T], otherwise: T) -> T:
    """The step's result; its problems are collected so that an author sees all at once."""
    try:
        return step()
    except PersonalizationErrors as errors:
        problems.extend(errors)
        return otherwise
