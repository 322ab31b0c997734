import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.sending.smtp.replies import (
    MAX_LINE_OCTETS,
    MAX_REPLY_LINES,
    ProtocolViolation,
    Reply,
    ReplyReader,
    Stage,
)


def read_all(*chunks: bytes) -> list[Reply]:
    reader = ReplyReader()
    replies = []
    for chunk in chunks:
        reader.feed(chunk)
        while (reply := reader.take(Stage.MAIL)) is not None:
            replies.append(reply)
    return replies


@given(
    st.lists(
        st.tuples(
            st.integers(200, 599),
            st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), min_size=1, max_size=4),
        ),
        max_size=5,
    ),
    st.data(),
)
def test_it_reads_the_same_replies_however_the_octets_are_cut(
    said: list[tuple[int, list[str]]], data: st.DataObject
) -> None:
    wire = b"".join(
        b"".join(b"%d-%b\r\n" % (code, line.encode()) for line in lines[:-1])
        + b"%d %b\r\n" % (code, lines[-1].encode())
        for code, lines in said
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    chunks = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    replies = read_all(*chunks)

    assert [(reply.code, reply.text) for reply in replies] == [(code, " ".join(lines)) for code, lines in said]


@given(st.binary())
def test_it_reads_or_refuses_any_octets(octets: bytes) -> None:
    try:
        replies = read_all(octets)
    except ProtocolViolation:
        return

    assert all(200 <= reply.code <= 599 and reply.text.isprintable() for reply in replies)


@pytest.mark.parametrize("line", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_it_reads_a_reply_without_text(line: bytes) -> None:
    assert read_all(line) == [Reply(250, "", Stage.MAIL)]


def test_it_keeps_control_characters_out_of_the_text() -> None:
    assert read_all(b"550 5.1.1 a\x00\x1b[31mb\xff\r\n")[0].text == "5.1.1 a [31mb\ufffd"


@pytest.mark.parametrize(
    "line", [b"hello\r\n", b"25 \r\n", b"650 x\r\n", b"150 x\r\n", b"250_x\r\n", b"250-a\r\n550 b\r\n"]
)
def test_it_refuses_what_is_no_reply(line: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        read_all(line)


def test_it_refuses_a_line_without_end() -> None:
    with pytest.raises(ProtocolViolation, match="octets"):
        read_all(b"250 " + b"x" * MAX_LINE_OCTETS)


def test_it_refuses_a_reply_without_end() -> None:
    with pytest.raises(ProtocolViolation, match="lines"):
        read_all(b"250-x\r\n" * (MAX_REPLY_LINES + 1))


def test_it_knows_that_octets_are_left() -> None:
    reader = ReplyReader()
    reader.feed(b"250 a\r\n421 b")

    reader.take(Stage.MAIL)

    assert reader.pending


@pytest.mark.parametrize(
    ("code", "stage", "accepted"),
    [(250, Stage.END_OF_DATA, True), (250, Stage.RCPT, False), (451, Stage.END_OF_DATA, False)],
)
def test_it_is_accepted_only_after_the_content(code: int, stage: Stage, *, accepted: bool) -> None:
    assert Reply(code, "", stage).accepted is accepted
