# ruff: noqa: E501 - samples stay on their lines

import quopri
import re
from email import policy
from email.header import decode_header, make_header
from email.headerregistry import HeaderRegistry
from email.parser import BytesParser
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deliveries.rendering import dkim, encode
from deliveries.rendering.encode import MessageError

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TRICKY_TEXT = st.lists(
    st.one_of(
        ANY_TEXT,
        st.sampled_from(
            [
                "From ",
                "From",
                ".",
                "..",
                " ",
                "\t",
                "\r",
                "\n",
                "\r\n",
                "\u2028",
                "\x00",
                "\x0c",
                "=",
                "=\n",
                "é",
                "x" * 75,
            ]
        ),
    )
).map("".join)
PRINTABLE = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
        st.sampled_from(
            ["=?", "?=", "=?utf-8?q?a?=", "  ", " ", '"', "\\", ",", ".", "<", "@", "日本", "word" * 300, "a b " * 30]
        ),
    )
).map(lambda pieces: "".join(pieces).strip())


def header_of(octets: bytes) -> str:
    message = BytesParser(policy=policy.default).parsebytes(octets + b"\r\n")
    assert not message.defects
    return str(next(iter(message.values())))


def as_sent(text: str) -> bytes:
    """The octets that a text stands for: CRLF line ends."""
    return encode.line_breaks(text).replace("\n", "\r\n").encode()


def assert_wire(octets: bytes, limit: int) -> None:
    rest = octets.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    assert all(len(line) <= limit for line in octets.split(b"\r\n"))


def assert_folded(octets: bytes) -> None:
    assert_wire(octets, 998)
    assert octets.endswith(b"\r\n")
    lines = octets.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line.strip() for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:])


@given(TRICKY_TEXT)
@example("From here")
@example("From " * 40)
@example("ends with space ")
@example("x" * 300)
@example("From " + "x" * 71)
@example(".\r\n.\r\n")
def test_it_brings_every_text_back_from_quoted_printable(text: str) -> None:
    body = encode.quoted_printable(text).encode()

    assert_wire(body, 76)
    assert quopri.decodestring(body) == as_sent(text)
    assert not re.search(rb"^(From |[.])", body, re.MULTILINE)
    assert dkim.is_tight(body)
    assert body.isascii()


@given(st.lists(TRICKY_TEXT, max_size=8))
@example(["", ".", "From ", " ", "  ", "a\n", "=", "."])
def test_pieces_encoded_apart_decode_to_the_whole_text(pieces: list[str]) -> None:
    body = "".join(encode.quoted_printable(piece) for piece in pieces).encode()

    assert_wire(body, 76)
    assert quopri.decodestring(body) == b"".join(as_sent(piece) for piece in pieces)
    assert not re.search(rb"^(From |[.])", body, re.MULTILINE)
    assert dkim.is_tight(body)
    assert all(piece == "" or encode.quoted_printable(piece).endswith("\r\n") for piece in pieces)


@given(TRICKY_TEXT)
def test_it_brings_every_text_back_through_the_email_parser(text: str) -> None:
    for encoding, body in (
        (b"quoted-printable", encode.quoted_printable(text).encode()),
        (b"base64", encode.base64_body(as_sent(text))),
    ):
        head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
        message = BytesParser(policy=policy.default).parsebytes(head + body)

        assert_wire(body, 76)
        assert message.get_payload(decode=True) == as_sent(text)


@pytest.mark.parametrize("write", [encode.quoted_printable, encode.octets])
def test_it_refuses_half_a_character(write) -> None:
    with pytest.raises(MessageError, match="half a character"):
        write("a\ud800b")


@given(PRINTABLE)
@example("a" + " " * 90 + "b")
@example("=?utf-8?q?hi?=")
@example("word " * 60 + "x" * 1200)
def test_it_brings_every_subject_back(subject: str) -> None:
    octets = encode.header("Subject", encode.check_value("the subject", subject))

    assert_folded(octets)
    assert header_of(octets) == subject
    if not subject.isascii():
        assert_wire(octets, 76)


@given(PRINTABLE.filter(bool))
@example('"' * 900)
@example("a.b" * 100)
@example("Anna  Maria")
@example("O'Neil, Anna (home)")
def test_it_brings_every_display_name_back(name: str) -> None:
    octets = encode.address_header("From", encode.check_value("the sender name", name), "a@example.com")

    # Python 3.11's newer parser puts a space between encoded words of a phrase, against RFC 2047, section 6.2.
    value = BytesParser(policy=policy.compat32).parsebytes(octets + b"\r\n")["From"]
    phrase, address = parseaddr(value)
    assert_folded(octets)
    assert (str(make_header(decode_header(phrase))), address) == (name, "a@example.com")


@given(st.text(st.characters(categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1), ANY_TEXT)
def test_it_refuses_control_characters_in_header_values(control: str, text: str) -> None:
    with pytest.raises(MessageError, match="line break or control character"):
        encode.check_value("the subject", text + control + text)
    with pytest.raises(MessageError):
        encode.wire_address("the sender address", f"a{control}@example.com")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=150))
@example('a"b\\c.pdf')
@example("Straße " * 20 + ".pdf")
@example("report.pdf")
@example("日本" * 60)
def test_it_brings_every_file_name_back(name: str) -> None:
    octets = f"Content-Disposition: attachment;\r\n {encode.parameter('filename', name)}\r\n".encode()

    header = BytesParser(policy=policy.default).parsebytes(octets + b"\r\n")["Content-Disposition"]

    assert_wire(octets, 76 if "\\" not in name and '"' not in name else 998)
    assert header.params["filename"] == name
    assert not header.defects


@pytest.mark.parametrize(
    ("written", "wire"),
    [
        ("anna@example.com", "anna@example.com"),
        (" anna@example.com ", "anna@example.com"),
        ("anna@münchen.example", "anna@xn--mnchen-3ya.example"),
        ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("jürgen@münchen.example", "jürgen@xn--mnchen-3ya.example"),
        ('"anna b"@example.com', '"anna b"@example.com'),
        ("anna+news@example.com", "anna+news@example.com"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_it_writes_addresses_as_they_travel(written: str, wire: str) -> None:
    assert encode.wire_address("the recipient's address", written) == wire


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@example.com", "anna@", "anna@example..com", "anna@.com", "anna@-a.com", "anna@a_b.com", "an na@example.com",
        "anna@exam ple.com", "anna@example.com>", "<anna@example.com", "a,b@example.com", "anna@example.com\r\nRCPT TO:<x@y>",
        "anna\x00@example.com", "a@b@example.com", '"a" <evil@example.org>, "b"@example.com', '"a"b"@example.com', '""@example.com',
        "a@" + "x" * 64 + ".com", "a" * 250 + "@example.com", "anna@[127.0.0.1]", "anna@\u2028example.com", "anna@xn--\ud800.com",
        "anna@ex\u200bample\u3000.com", "anna(x)@example.com", "a:b@example.com",
    ],
)  # fmt: skip
def test_it_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(
        MessageError, match=r"^(The recipient's address is not an e-mail address|A value puts a line break)"
    ):
        encode.wire_address("the recipient's address", address)


@given(ANY_TEXT, st.sampled_from(["example.com", "münchen.example"]))
def test_it_never_lets_an_address_out_of_its_brackets(local: str, domain: str) -> None:
    try:
        wire = encode.wire_address("the recipient's address", f"{local}@{domain}")
    except MessageError:
        return

    header: Any = HeaderRegistry()("To", f"<{wire}>")
    [group] = header.addresses
    assert_folded(encode.address_header("To", "", wire))
    assert group.domain == wire.rpartition("@")[2]


@pytest.mark.parametrize(
    ("sample", "expected"), [("", False), ("Viele Grüße aus dem schönen Tal und bis bald", False), ("こんにちは", True)]
)
def test_it_prefers_base64_where_it_is_shorter(sample: str, expected: bool) -> None:
    assert encode.prefers_base64(sample) is expected
