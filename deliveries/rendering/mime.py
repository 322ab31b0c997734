"""The MIME structure of a content, built once: what differs between messages comes later (RFC 2045, 2046, 2387)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deliveries.rendering.compile import AttachedFile, Compiled
from deliveries.rendering.dkim import is_tight
from deliveries.rendering.encode import parameter

BOUNDARY = b"\x00boundary\x00"
HTML = b"\x00html\x00"
TEXT = b"\x00text\x00"

SHARED_OCTETS: Final = 65_536
"""A file from this size on is a piece of its own, one for all mails; a smaller one is copied into each."""

_SLOT = re.compile(rb"(\x00[a-z0-9]+\x00)")
_BETWEEN_FIELDS = re.compile(rb"\r\n(?![ \t])")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The MIME header fields, and the constant octets of the body around a message's boundary, text and HTML, and
    around large ``files``: ``pieces[0] slot[0] pieces[1] slot[1] …``.

    Quoted-printable and base64 as we write them are tight (see :func:`deliveries.rendering.dkim.is_tight`) and have no
    dot at the beginning of a line. ``is_tight`` says the first of the pieces as well, ``is_transparent`` the second.
    """

    fields: tuple[bytes, ...]
    pieces: tuple[bytes, ...]
    slots: tuple[bytes, ...]
    files: Mapping[bytes, bytes]
    is_tight: bool
    is_transparent: bool

    def fill(self, boundary: bytes, text: bytes, html: bytes) -> tuple[list[bytes], list[bytes]]:
        """The MIME header fields of one message, each ended by CRLF, and its body in pieces: in turns one of its own
        and a file, which is the same object in every message."""
        values = {BOUNDARY: boundary, TEXT: text, HTML: html}
        body = []
        own = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            if slot in self.files:
                body += [b"".join(own), self.files[slot]]
                own = [piece]
            else:
                own.append(values[slot])
                own.append(piece)
        body.append(b"".join(own))
        return [field.replace(BOUNDARY, boundary) for field in self.fields], body


def skeleton(compiled: Compiled) -> Skeleton:
    """The structure that a content needs: multipart only where there is something for it."""
    entity = _alternative(compiled)
    # Without HTML nothing shows an image inside: it is attached.
    inline = [file for file in compiled.attachments if file.content_id and compiled.html]
    attached = [file for file in compiled.attachments if file not in inline]
    large: dict[bytes, bytes] = {}
    if inline:
        main = b"multipart/alternative" if compiled.text else b"text/html"
        files = [_file(file, "inline", large) for file in inline]
        entity = _multipart(b"related", b"r", [entity, *files], b';\r\n type="' + main + b'"')
    if attached:
        entity = _multipart(b"mixed", b"m", [entity, *(_file(file, "attachment", large) for file in attached)])
    return _split(entity, large)


def _alternative(compiled: Compiled) -> bytes:
    text = _leaf(b"plain", TEXT, base64=compiled.text_base64)
    html = _leaf(b"html", HTML, base64=compiled.html_base64)
    if not compiled.html:
        return text
    if not compiled.text:
        return html
    return _multipart(b"alternative", b"a", [text, html])


def _leaf(subtype: bytes, slot: bytes, *, base64: bool) -> bytes:
    encoding = b"base64" if base64 else b"quoted-printable"
    return (
        b"Content-Type: text/" + subtype + b"; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + slot
    )


def _multipart(subtype: bytes, level: bytes, entities: list[bytes], parameters: bytes = b"") -> bytes:
    boundary = BOUNDARY + level
    head = b"Content-Type: multipart/" + subtype + b';\r\n boundary="' + boundary + b'"' + parameters + b"\r\n\r\n"
    body = b"".join(b"--" + boundary + b"\r\n" + entity + b"\r\n" for entity in entities)
    return head + body + b"--" + boundary + b"--\r\n"


def _file(file: AttachedFile, disposition: str, large: dict[bytes, bytes]) -> bytes:
    """The entity of a file; one that is large goes to those that are, and its slot stands for it."""
    # Composite types may not be in base64 (RFC 2045, section 6.4); as a plain file they travel unharmed.
    composite = file.content_type.lower().startswith(("multipart/", "message/"))
    lines = [
        f"Content-Type: {'application/octet-stream' if composite else file.content_type}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {disposition};\r\n {parameter('filename', file.name)}",
    ]
    if file.content_id:
        lines.append(f"Content-ID: <{file.content_id}>")
    content = file.encoded
    if len(content) >= SHARED_OCTETS:
        content = b"\x00file%d\x00" % len(large)
        large[content] = file.encoded
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _split(entity: bytes, files: Mapping[bytes, bytes]) -> Skeleton:
    head, _, rest = entity.partition(b"\r\n\r\n")
    fields = tuple(field + b"\r\n" for field in _BETWEEN_FIELDS.split(head))
    split = _SLOT.split(rest)
    pieces = split[::2]
    return Skeleton(
        fields,
        pieces=tuple(pieces),
        slots=tuple(split[1::2]),
        files=files,
        is_tight=all(map(is_tight, pieces)),
        is_transparent=not any(b"\n." in piece or piece.startswith(b".") for piece in pieces),
    )
