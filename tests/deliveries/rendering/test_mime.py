from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.compile import AttachedFile
from tests.deliveries.rendering.contents import compiled, defects, parsed, renderer, row

IMAGE = AttachedFile.of("logo.png", "image/png", b"\x89PNG\r\n\x00boundary\x00", "logo@example.com")
PDF = AttachedFile.of("Größe “1”.pdf", "application/pdf", bytes(range(256)) * 3)


def structure(message: Any) -> Any:
    kind = message.get_content_type()
    return (kind, [structure(part) for part in message.iter_parts()]) if message.is_multipart() else kind


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"html": ""}, "text/plain"),
        ({}, ("multipart/alternative", ["text/plain", "text/html"])),
        ({"html": "", "attachments": (PDF,)}, ("multipart/mixed", ["text/plain", "application/pdf"])),
        ({"html": "", "attachments": (IMAGE,)}, ("multipart/mixed", ["text/plain", "image/png"])),
        (
            {"attachments": (PDF, IMAGE)},
            (
                "multipart/mixed",
                [
                    ("multipart/related", [("multipart/alternative", ["text/plain", "text/html"]), "image/png"]),
                    "application/pdf",
                ],
            ),
        ),
    ],
)
def test_it_builds_only_the_parts_there_are(changes: dict[str, Any], expected: Any) -> None:
    made = renderer(**changes)

    message = parsed(made.mail(row(made)).data)

    assert structure(message) == expected
    assert defects(message) == []


def test_it_sends_html_alone_when_it_has_no_text() -> None:
    made = renderer(html="<img src='cid:logo@example.com'>", text="", attachments=(IMAGE,))

    message = parsed(made.mail(row(made)).data)

    assert structure(message)[0] == "multipart/related"
    assert defects(message) == []


def test_it_brings_files_back_with_name_and_octets() -> None:
    made = renderer(html="<img src='cid:logo@example.com'>", attachments=(PDF, IMAGE))

    files = [part for part in parsed(made.mail(row(made)).data).walk() if part.get_filename()]

    assert [(part.get_filename(), part.get_payload(decode=True)) for part in files] == [
        (IMAGE.name, IMAGE.data),
        (PDF.name, PDF.data),
    ]
    assert [part.get_content_disposition() for part in files] == ["inline", "attachment"]
    assert files[0]["Content-ID"] == "<logo@example.com>"


@given(st.binary(max_size=300))
def test_it_brings_any_octets_back(data: bytes) -> None:
    made = renderer(attachments=(AttachedFile.of("a.bin", "application/octet-stream", data),))

    *_, file = parsed(made.mail(row(made)).data).walk()

    assert file.get_payload(decode=True) == data


def test_mails_share_their_large_files() -> None:
    large = AttachedFile.of("large.pdf", "application/pdf", bytes(range(256)) * 400)
    second = AttachedFile.of("second.pdf", "application/pdf", b"second" * 20_000)
    made = renderer(attachments=(large, IMAGE, second))

    mails = [made.mail(row(made, address=address)) for address in ("anna@example.org", "bert@example.org")]

    for mail in mails:
        files = [part for part in parsed(mail.data).walk() if part.get_filename()]
        assert [file.get_payload(decode=True) for file in files] == [IMAGE.data, large.data, second.data]
        assert mail.octets == len(mail.data)
    first, other = (mail.pieces for mail in mails)
    assert [ours is theirs for ours, theirs in zip(first, other, strict=True)] == [False, True, False, True, False]
    assert (first[1], first[3]) == (large.encoded, second.encoded)


def test_it_sends_a_message_as_a_plain_file() -> None:
    made = renderer(attachments=(AttachedFile.of("mail.eml", "message/rfc822", b"Subject: x\r\n\r\ny"),))

    *_, file = parsed(made.mail(row(made)).data).walk()

    assert (file.get_content_type(), file.get_filename()) == ("application/octet-stream", "mail.eml")
    assert file.get_payload(decode=True) == b"Subject: x\r\n\r\ny"


def test_it_writes_japanese_in_base64() -> None:
    made = renderer(html="<p>" + "こんにちは世界。" * 20 + "</p>", text="ご案内です。")

    message = parsed(made.mail(row(made)).data)

    encodings = [part["Content-Transfer-Encoding"] for part in message.iter_parts()]
    part = message.get_body(("html",))
    assert encodings == ["base64", "base64"]
    assert part is not None
    assert part.get_content() == "<p>" + "こんにちは世界。" * 20 + "</p>"


def test_it_finds_no_boundary_in_what_authors_write() -> None:
    made = renderer()
    boundary = parsed(made.mail(row(made)).data).get_boundary()
    again = renderer(html=f"<p>\n--{boundary}\n--{boundary}--\n</p>")

    message = parsed(again.mail(row(again)).data)

    assert structure(message) == ("multipart/alternative", ["text/plain", "text/html"])


@pytest.mark.parametrize(
    "file",
    [
        AttachedFile.of("a\r\nX-Evil: 1", "image/png", b""),
        AttachedFile.of("a\x00html\x00", "image/png", b""),
        AttachedFile.of("", "image/png", b""),
        AttachedFile.of("a.png", "image/png\r\nX-Evil: 1", b""),
        AttachedFile.of("a.png", "", b""),
        AttachedFile.of("a.png", "image/png", b"", "a>\r\nX-Evil: <"),
    ],
)
def test_it_refuses_files_that_would_break_a_header(file: AttachedFile) -> None:
    with pytest.raises(PersonalizationErrors):
        compiled(attachments=(file,))
