import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import BadAddress, Extensions

EVERYTHING = Extensions(pipelining=True, eight_bit=True, smtputf8=True, size_parameter=True, size=1000)


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


def test_it_uses_the_parameters_the_server_offers() -> None:
    command = commands.mail_from("a@b.example", 77, EVERYTHING, eight_bit=True, smtputf8=True)

    assert command == b"MAIL FROM:<a@b.example> SIZE=77 BODY=8BITMIME SMTPUTF8\r\n"


def test_it_uses_no_parameter_the_server_does_not_offer() -> None:
    command = commands.mail_from("a@b.example", 77, Extensions(), eight_bit=True, smtputf8=True)

    assert command == b"MAIL FROM:<a@b.example>\r\n"


def test_it_writes_the_null_sender() -> None:
    assert commands.mail_from("", 1, Extensions(), eight_bit=False, smtputf8=False) == b"MAIL FROM:<>\r\n"


@pytest.mark.parametrize(
    "address", ["a.b+c@d.example", '"a b"@d.example', "zo\u00eb@m\u00fcnchen.example", "a@[192.0.2.1]"]
)
def test_it_writes_addresses_as_they_are(address: str) -> None:
    assert commands.rcpt_to(address) == f"RCPT TO:<{address}>\r\n".encode()


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
        commands.rcpt_to(address)


@given(st.text())
def test_it_writes_one_line_or_nothing(address: str) -> None:
    try:
        command = commands.rcpt_to(address)
    except BadAddress:
        return

    assert len(command.decode().splitlines()) == 1
    assert command.startswith(b"RCPT TO:<")
    assert command.endswith(b">\r\n")


@pytest.mark.parametrize(
    ("parameter", "size"), [("", None), ("0", None), ("100", 100), ("many", None), ("\u00b2", None)]
)
def test_it_reads_the_size_limit(parameter: str, size: int | None) -> None:
    extensions = Extensions.from_features({"size": parameter, "pipelining": ""})

    assert extensions.size == size
    assert extensions.size_parameter
    assert extensions.pipelining
    assert not extensions.smtputf8
