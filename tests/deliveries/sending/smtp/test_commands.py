import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import BadAddress, Extensions

EVERYTHING = Extensions(pipelining=True, eight_bit=True, smtputf8=True, dsn=True, size_parameter=True, size=1000)


def received(wire: bytes) -> bytes:
    """What a server keeps of the octets after 354 (RFC 5321 section 4.5.2), written without regard to our code."""
    kept = []
    for line in wire.split(b"\r\n"):
        if line == b".":
            break
        kept.append(line[1:] if line.startswith(b".") else line)
    return b"".join(line + b"\r\n" for line in kept)


@given(st.lists(st.text(alphabet=". ab\u00e9", max_size=6)))
def test_it_arrives_as_it_was_whatever_dots_it_holds(lines: list[str]) -> None:
    data = b"".join(line.encode() + b"\r\n" for line in lines)

    wire = commands.body(data) + commands.END_OF_DATA

    assert received(wire) == data
    assert (b"\r\n" + wire).index(b"\r\n.\r\n") == len(wire) - 3


def test_it_ends_the_last_line() -> None:
    assert commands.body(b"a\r\nb") == b"a\r\nb\r\n"


@pytest.mark.parametrize("data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n", b"a\r", b"\n.\r\n", b"\r\r\n", b"a\n\r\n"])
def test_it_refuses_a_line_end_that_is_not_crlf(data: bytes) -> None:
    with pytest.raises(ValueError, match="CRLF"):
        commands.body(data)


@pytest.mark.parametrize("data", [b"", b"a", b".\r\n", b"a\r\n.\r\nb\r\n", b"Subject: .\r\n\r\n..a\r\n"])
@pytest.mark.parametrize("is_transparent", [True, False])
def test_it_counts_the_octets_of_a_chunk_and_leaves_its_dots(data: bytes, *, is_transparent: bool) -> None:
    command, _, octets = commands.chunk(data, is_transparent=is_transparent).partition(b"\r\n")

    assert command == b"BDAT %d LAST" % len(octets)
    assert octets == (data if data.endswith(b"\r\n") else data + b"\r\n")


@pytest.mark.parametrize("data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r", b"Subject: a\nb\r\n\r\nc\r\n"])
@pytest.mark.parametrize("is_transparent", [True, False])
def test_it_refuses_a_line_end_that_is_not_crlf_in_a_chunk(data: bytes, *, is_transparent: bool) -> None:
    with pytest.raises(ValueError, match="CRLF"):
        commands.chunk(data, is_transparent=is_transparent)


@given(st.lists(st.integers(0, 2_200), max_size=6), st.booleans())
def test_it_finds_a_line_of_more_than_998_octets(lengths: list[int], ended: bool) -> None:
    data = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")

    assert commands.has_overlong_line(data) == any(length > 998 for length in lengths)


def test_it_uses_the_parameters_the_server_offers() -> None:
    command = commands.mail_from("a@b.example", 77, EVERYTHING, eight_bit=True, smtputf8=True, envelope_id="x+1")

    assert command == b"MAIL FROM:<a@b.example> SIZE=77 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2B1\r\n"


def test_it_uses_no_parameter_the_server_does_not_offer() -> None:
    command = commands.mail_from("a@b.example", 77, Extensions(), eight_bit=True, smtputf8=True, envelope_id="x")

    assert command == b"MAIL FROM:<a@b.example>\r\n"


def test_it_writes_the_null_sender() -> None:
    assert commands.mail_from("", 1, Extensions(), eight_bit=False, smtputf8=False) == b"MAIL FROM:<>\r\n"


@pytest.mark.parametrize(
    "address", ["a.b+c@d.example", '"a b"@d.example', "zo\u00eb@m\u00fcnchen.example", "a@[192.0.2.1]"]
)
def test_it_writes_addresses_as_they_are(address: str) -> None:
    assert commands.rcpt_to(address, Extensions()) == f"RCPT TO:<{address}>\r\n".encode()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b.example\r\nRCPT TO:<c@d.example>",
        "a\n@b.example",
        "a@b.example\n",
        '"a\rb"@c.example',
        "a\x00@b.example",
        "a\x85@b.example",
        "a\u2028@b.example",
        "a@b.example> SIZE=1",
        "a b@c.example",
        "<a@b.example>",
        "a\ud800@b.example",
        "a" * 250 + "@b.example",
    ],
)
def test_it_refuses_what_could_change_the_command(address: str) -> None:
    with pytest.raises(BadAddress):
        commands.rcpt_to(address, Extensions())


@pytest.mark.parametrize(
    ("address", "original"),
    [
        ("a@b.example", b"rfc822;a@b.example"),
        ("a+b=c@d.example", b"rfc822;a+2Bb+3Dc@d.example"),
        ('"a b"@c.example', b'rfc822;"a+20b"@c.example'),
        ("zo\u00eb@b.example", rb"utf-8;zo\x{EB}@b.example"),
        ("\U0001f4a1+=@b.example", rb"utf-8;\x{1F4A1}\x{2B}\x{3D}@b.example"),
    ],
)
def test_it_asks_for_reports_of_failure_about_the_address_written_to(address: str, original: bytes) -> None:
    command = commands.rcpt_to(address, EVERYTHING)

    assert command == f"RCPT TO:<{address}> NOTIFY=FAILURE ORCPT=".encode() + original + b"\r\n"


def test_it_leaves_out_what_would_be_longer_than_allowed() -> None:
    address = "\u00eb" * 100 + "@b.example"
    sender = commands.mail_from("", 1, EVERYTHING, eight_bit=False, smtputf8=False, envelope_id="=" * 34)

    assert commands.rcpt_to(address, EVERYTHING).endswith(b"> NOTIFY=FAILURE\r\n")
    assert sender == b"MAIL FROM:<> SIZE=1 RET=HDRS\r\n"


@given(st.binary())
def test_it_writes_octets_as_xtext_that_can_be_read_back(octets: bytes) -> None:
    encoded = commands.xtext(octets)

    assert re.fullmatch(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", encoded)
    assert re.sub(rb"\+(..)", lambda match: bytes.fromhex(match[1].decode()), encoded) == octets


@given(st.text().filter(lambda text: not text.isascii()))
def test_it_writes_international_addresses_in_ascii_that_can_be_read_back(address: str) -> None:
    kind, _, encoded = commands.original_recipient(address).decode("ascii").partition(";")

    assert kind == "utf-8"
    assert re.fullmatch(r"(?:[!-*,-<>-\[\]-~]|\\x\{[0-9A-F]{2,6}\})*", encoded)
    assert re.sub(r"\\x\{(.*?)\}", lambda match: chr(int(match[1], 16)), encoded) == address


@pytest.mark.parametrize("server", [Extensions(), EVERYTHING])
@given(address=st.text() | st.emails())
def test_it_writes_one_line_or_nothing(server: Extensions, address: str) -> None:
    try:
        command = commands.rcpt_to(address, server)
    except BadAddress:
        return

    assert len(command.decode().splitlines()) == 1
    assert command.startswith(b"RCPT TO:<")
    assert re.search(rb">(?: NOTIFY=FAILURE(?: ORCPT=[!-~]+)?)?\r\n\Z" if server.dsn else rb">\r\n\Z", command)


@pytest.mark.parametrize(
    ("parameter", "size"), [("", None), ("0", None), ("100", 100), ("many", None), ("\u00b2", None)]
)
def test_it_reads_the_size_limit(parameter: str, size: int | None) -> None:
    extensions = Extensions.from_features({"size": parameter, "pipelining": ""})

    assert extensions.size == size
    assert extensions.size_parameter
    assert extensions.pipelining
    assert not extensions.smtputf8
