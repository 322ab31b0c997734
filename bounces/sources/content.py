"""What follows DATA (RFC 5321, section 4.1.1.4). Only CRLF.CRLF ends it, whatever else looks like an end."""

from asyncio import LimitOverrunError, StreamReader
from enum import Enum, auto


class _At(Enum):
    LINE_START = auto()
    AFTER_DOT = auto()
    """Of a line's beginning; the dot itself is no content (section 4.5.2)."""
    IN_LINE = auto()


async def read_content(reader: StreamReader, most: int) -> tuple[bytes, int]:
    """The first ``most`` octets of the content, without the dots before dots, and how many there were; what is longer
    is read past. Raises IncompleteReadError when the connection ends before.

    Lines that begin with a dot are rare, so a mail is read in a few pieces instead of one for each line.
    """
    content = bytearray()
    octets = 0

    def keep(piece: bytes) -> None:
        nonlocal octets
        octets += len(piece)
        if len(content) < most:
            content.extend(piece)

    at = _At.LINE_START  # the command's own CRLF stands before
    while True:
        if at is _At.IN_LINE:
            try:
                piece = await reader.readuntil(b"\r\n.")
            except LimitOverrunError as error:
                keep(await reader.readexactly(error.consumed))
            else:
                keep(piece[:-1])
                at = _At.AFTER_DOT
            continue
        octet = await reader.readexactly(1)
        if octet == b"." and at is _At.LINE_START:
            at = _At.AFTER_DOT
            continue
        while octet == b"\r" and (following := await reader.readexactly(1)) != b"\n":
            keep(octet)
            octet, at = following, _At.IN_LINE
        if octet != b"\r":
            keep(octet)
            at = _At.IN_LINE
        elif at is _At.AFTER_DOT:
            return bytes(content[:most]), octets
        else:
            keep(b"\r\n")
            at = _At.LINE_START
