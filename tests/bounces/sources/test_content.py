"""What follows DATA, however it is cut on its way."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from bounces.sources.content import read_content

NEXT = b"QUIT\r\n"

lines = st.lists(
    st.sampled_from([b"", b".", b"..", b".x", b"\r", b"\n", b".\r", b"\r.", b"\n.", b"x" * 30, b"\0", b"."])
)
contents = st.one_of(lines.map(b"\r\n".join), st.binary(max_size=80), st.text("\r\n.x").map(str.encode))


def sent(content: bytes) -> bytes:
    """As a client sends it (RFC 5321, section 4.5.2)."""
    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(\A|\r\n)\.", rb"\1..", whole) + b".\r\n"


async def received(wire: bytes, cuts: list[int], most: int, limit: int) -> tuple[bytes, int, bytes]:
    reader = asyncio.StreamReader(limit=limit)
    reading = asyncio.create_task(read_content(reader, most))
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        reader.feed_data(wire[start:end])
        await asyncio.sleep(0)
    reader.feed_data(NEXT)
    reader.feed_eof()
    content, octets = await reading
    return content, octets, await reader.read()


@given(contents, st.data(), st.integers(4, 40), st.integers(0, 100))
def test_it_is_what_was_sent_and_the_next_command_follows(
    content: bytes, data: st.DataObject, limit: int, most: int
) -> None:
    wire = sent(content)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))

    with ThreadPoolExecutor(1) as thread:  # a browser's test may have left a loop in this one
        kept, octets, rest = thread.submit(asyncio.run, received(wire, cuts, most, limit)).result()

    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    assert (kept, octets, rest) == (whole[:most], len(whole), NEXT)
