"""Compile a content once: everything that is the same for all its messages is decided and checked here."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deliveries.personalization.blocks import Block, resolve
from deliveries.personalization.errors import PersonalizationErrors, Problem
from deliveries.personalization.fields import Field
from deliveries.personalization.sandbox import used_fields
from deliveries.rendering.encode import prefers_base64
from deliveries.rendering.links import Link, find_links, parse
from deliveries.rendering.text import text_from_html

VERSION = 1
"""Form of the compiled JSON; contents of every earlier version stay renderable, to the same bytes."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that travels with the message; with a ``content_id`` it is an image inside the HTML (``cid:``)."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A content ready to be merged with messages. The texts are templates whose blocks are resolved.

    ``fields`` are the recipient fields it uses, in the order in which a message's values hold them; ``kinds`` their types.
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

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON column."""
        values = asdict(self)
        for file in values["attachments"]:
            file["data"] = base64.b64encode(file["data"]).decode()
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Compiled":
        """The inverse of :meth:`to_json`."""
        files = (
            AttachedFile(**{**file, "data": base64.b64decode(file["data"])}) for file in values["attachments"]
        )
        return cls(
            **{
                **values,
                "fields": tuple(values["fields"]),
                "links": tuple(Link(**link) for link in values["links"]),
                "attachments": tuple(files),
            }
        )


def compile_content(source: Source, catalogue: dict[str, Field], blocks: Mapping[str, Block]) -> Compiled:
    """Resolve blocks, make the text, number the links, find the fields.

    Raises :class:`PersonalizationErrors` with everything that is wrong in any part of the content.
    """
    problems: list[Problem] = []
    html = _try(problems, lambda: resolve(source.html, "the HTML content", blocks, catalogue, html=True))
    written = source.text.strip()
    if written:
        text = _try(problems, lambda: resolve(source.text, "the text content", blocks, catalogue, html=False))
    else:
        text = text_from_html(html) if html.strip() else ""
    headers = {
        name: _try(problems, lambda name=name, where=where: resolve(getattr(source, name), where, blocks, catalogue, html=False))
        for name, where in _HEADERS.items()
    }
    if problems:
        raise PersonalizationErrors(problems)
    places = {"the HTML content": html, "the text content": text}
    places |= {where: headers[name] for name, where in _HEADERS.items()}
    used = [path for where, template in places.items() for path in used_fields(template, where, catalogue)]
    return Compiled(
        version=VERSION,
        html=html,
        text=text,
        **headers,
        error_address=source.error_address,
        language=source.language,
        base_url=source.base_url.rstrip("/"),
        message_domain=source.message_domain,
        label=source.label,
        code=source.code,
        fields=tuple(
            dict.fromkeys(path for path in ["recipient.language", *used] if path.startswith("recipient.")),
        ),
        links=find_links(parse(html)),
        attachments=source.attachments,
        html_base64=prefers_base64(html),
        text_base64=prefers_base64(text),
    )


_HEADERS = {
    "subject": "the subject",
    "sender_name": "the sender name",
    "sender_address": "the sender address",
    "reply_name": "the reply name",
    "reply_address": "the reply address",
}


def _try(problems: list[Problem], step: Callable[[], str]) -> str:
    """The step's result; its problems are collected so that an author sees all at once."""
    try:
        return step()
    except PersonalizationErrors as errors:
        problems.extend(errors)
        return ""
