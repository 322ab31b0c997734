"""The server's side of the SMTP dialogue, with the faults that a script asks for."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from campaign.demo.sink.mailbox import Mailbox, Received
from campaign.demo.sink.script import MAX_MESSAGE_OCTETS, Fault, Script

# Commands are short (RFC 5321 section 4.5.3.1.4: 512 octets); SMTPUTF8 and parameters make them longer.
MAX_COMMAND_OCTETS: Final = 4_096

_PATH = re.compile(r"(?:FROM|TO):\s*<(.*)>((?: \S+)*)\s*", re.IGNORECASE)
_CHUNK = re.compile(r"([0-9]{1,12})( LAST)?\s*", re.IGNORECASE)
_END: Final = b"\r\n.\r\n"


@dataclass(slots=True)
class Chunk:
    """A BDAT command whose octets are coming, and whether they will be thrown away."""

    octets: int
    last: bool
    refused: bool
    begun: bool = False


@dataclass(slots=True)
class Sink:
    """What all connections share. `events` tells, when recorded, what arrived in which order."""

    mailbox: Mailbox = field(default_factory=Mailbox)
    script: Script = field(default_factory=Script)
    begun: int = 0
    connections: int = 0
    most_open: int = 0
    events: list[str] | None = None
    open: set[asyncio.Transport] = field(default_factory=set)

    def note(self, event: str) -> None:
        """Record an event where events are wanted."""
        if self.events is not None:
            self.events.append(event)

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
        """Start; port 0 takes a free one."""
        return await asyncio.get_running_loop().create_server(lambda: SinkProtocol(self), host, port, backlog=512)


class SinkProtocol(asyncio.Protocol):
    """One connection. Replies to pipelined commands leave in one write."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.replies: list[bytes] = []
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.parameters: tuple[str, ...] = ()
        self.reading_content = False
        self.searched = 0
        self.chunk: Chunk | None = None
        self.chunks = b""
        self.messages = 0
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.sink.connections += 1
        self.sink.open.add(self.transport)
        self.sink.most_open = max(self.sink.most_open, len(self.sink.open))
        self._act("CONNECT", lambda: self._reply("220 sink ESMTP"))
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open.difference_update({self.transport} if self.transport else set())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._proceed()

    def _proceed(self) -> None:
        while not self.waiting and self.transport is not None and self._take():
            pass
        self._flush()

    def _take(self) -> bool:
        """Handle one command or one content; false when octets are missing."""
        if self.chunk is not None:
            return self._take_chunk(self.chunk)
        if self.reading_content:
            return self._take_content()
        end = self.buffer.find(b"\n")
        if end < 0:
            if len(self.buffer) > MAX_COMMAND_OCTETS:
                self._reply("500 5.5.2 Line too long")
                self._hang_up()
            return False
        line = self.buffer[:end].decode("utf-8", "replace").rstrip("\r")
        del self.buffer[: end + 1]
        verb, _, argument = line.partition(" ")
        self._command(verb.upper(), argument)
        return True

    def _command(self, verb: str, argument: str) -> None:
        self.sink.note(verb)
        match verb:
            case "EHLO":
                lines = ["sink", *self.sink.script.extensions]
                text = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}"
                self._act("EHLO", lambda: self._reply(text))
            case "HELO":
                self._act("EHLO", lambda: self._reply("250 sink"))
            case "MAIL":
                self._mail(argument)
            case "RCPT":
                self._rcpt(argument)
            case "DATA":
                self._data()
            case "BDAT":
                self._bdat(argument)
            case "RSET":
                self._act("RSET", self._reset)
            case "NOOP":
                self._reply("250 2.0.0 Ok")
            case "QUIT":
                self._act("QUIT", self._quit)
            case _:
                self._reply("502 5.5.1 Command not known")

    def _mail(self, argument: str) -> None:
        match = _PATH.fullmatch(argument)
        limit = self.sink.script.messages_per_connection
        self.sink.begun += 1
        if limit and self.messages >= limit:
            self._reply("421 4.7.0 Too many messages on this connection")
            self._hang_up()
        elif self.sender is not None:
            self._reply("503 5.5.1 Nested MAIL")
        elif match is None:
            self._reply("501 5.1.7 Bad sender")
        else:
            sender, parameters = match[1], tuple(match[2].split())
            self._act("MAIL", lambda: self._begin(sender, parameters))

    def _begin(self, sender: str, parameters: tuple[str, ...]) -> None:
        self.sender, self.parameters, self.recipients = sender, parameters, []
        self._reply("250 2.1.0 Ok")

    def _rcpt(self, argument: str) -> None:
        match = _PATH.fullmatch(argument)
        if self.sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif match is None or not match[1]:
            self._reply("501 5.1.3 Bad recipient")
        else:
            self._act("RCPT", lambda: self._add(match[1]), recipient=match[1])

    def _add(self, recipient: str) -> None:
        self.recipients.append(recipient)
        self._reply("250 2.1.5 Ok")

    def _data(self) -> None:
        if self.sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif not self.recipients and not self.sink.script.recipients_optional:
            self._reply("554 5.5.1 No valid recipients")
        else:
            self._act("DATA", self._start_content)

    def _start_content(self) -> None:
        self.reading_content = True
        self.searched = 0
        self._reply("354 End data with <CR><LF>.<CR><LF>")

    def _bdat(self, argument: str) -> None:
        """RFC 3030 section 2: what is refused here is read all the same, and a transaction it fails waits for RSET."""
        match = _CHUNK.fullmatch(argument)
        if match is None or int(match[1]) + len(self.chunks) > MAX_MESSAGE_OCTETS:
            self._reply("501 5.5.4 Bad chunk" if match is None else "552 5.3.4 Message too big")
            self._hang_up()
            return
        chunk = self.chunk = Chunk(int(match[1]), last=match[2] is not None, refused=True)
        if self.sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif not self.recipients and not self.sink.script.recipients_optional:
            self._reply("554 5.5.1 No valid recipients")
        elif self.chunks:
            chunk.refused = False
        else:
            self._act("DATA", lambda: setattr(chunk, "refused", False))

    def _take_chunk(self, chunk: Chunk) -> bool:
        if self.buffer and not (chunk.refused or chunk.begun or self.chunks):
            chunk.begun = True
            self.sink.note("BODY")
            if self._act("BODY", lambda: None):
                return True
        if len(self.buffer) < chunk.octets:
            return False
        content = b"" if chunk.refused else self.chunks + self.buffer[: chunk.octets]
        del self.buffer[: chunk.octets]
        self.chunk = None
        self.chunks = b"" if chunk.last else content
        if chunk.last and not chunk.refused:
            self._finish_content(content)
        elif not chunk.refused:
            self._reply("250 2.0.0 Ok: more")
        return True

    def _take_content(self) -> bool:
        if not self.buffer:
            return False
        if self.searched == 0:
            self.sink.note("BODY")
            self.searched = 1
            if self._act("BODY", lambda: None):
                return True
        if self.buffer.startswith(_END[2:]):
            length, rest = 0, 3
        else:
            found = self.buffer.find(_END, max(self.searched - len(_END), 0))
            if found < 0:
                self.searched = len(self.buffer)
                if self.searched > 2 * MAX_MESSAGE_OCTETS:
                    self._hang_up()
                return False
            length, rest = found + 2, found + len(_END)
        content = bytes(self.buffer[:length])
        del self.buffer[:rest]
        self.reading_content = False
        if content.startswith(b"."):
            content = content[1:]
        self._finish_content(content.replace(b"\r\n.", b"\r\n"))
        self.sender = None
        return True

    def _finish_content(self, content: bytes) -> None:
        self.sink.note("END")
        received = Received(self.sender or "", tuple(self.recipients), self.parameters, content)
        self.messages += 1
        recipient = self.recipients[0] if self.recipients else ""
        fault = self._fault("END", recipient)
        if fault is not None and fault.keep:
            self.sink.mailbox.store(received)
        self._act("END", lambda: self._keep(received), recipient=recipient)

    def _keep(self, received: Received) -> None:
        if not received.recipients:
            self._reply("554 5.5.1 No valid recipients")
            return
        self.sink.mailbox.store(received)
        self.sender = None
        self._reply("250 2.0.0 Ok: kept")

    def _reset(self) -> None:
        self.sender = None
        self._reply("250 2.0.0 Ok")

    def _quit(self) -> None:
        self._reply("221 2.0.0 Bye")
        self._hang_up()

    def _fault(self, at: str, recipient: str = "") -> Fault | None:
        faults = self.sink.script.faults
        return next((fault for fault in faults if fault.applies(at, self.sink.begun, recipient)), None)

    def _act(self, at: str, usual: Callable[[], None], recipient: str = "") -> bool:
        """Do the usual, unless a fault is due here; true when there was one."""
        fault = self._fault(at, recipient) if self.sink.script.faults else None
        if fault is None:
            usual()
            return False
        if not fault.delay:
            self._misbehave(fault, usual)
            return True
        self._flush()
        self.waiting = True
        asyncio.get_running_loop().call_later(fault.delay, self._wake, fault, usual)
        return True

    def _wake(self, fault: Fault, usual: Callable[[], None]) -> None:
        self.waiting = False
        if self.transport is not None:
            self._misbehave(fault, usual)
            self._proceed()

    def _misbehave(self, fault: Fault, usual: Callable[[], None]) -> None:
        if fault.reply:
            self._reply(fault.reply)
        elif not fault.close:
            usual()
        if fault.close:
            self._hang_up()

    def _reply(self, text: str) -> None:
        self.replies.append(text.encode() + b"\r\n")

    def _flush(self) -> None:
        if self.replies and self.transport is not None:
            self.transport.write(b"".join(self.replies))
        self.replies.clear()

    def _hang_up(self) -> None:
        self._flush()
        if self.transport is not None:
            self.transport.close()
            self.sink.open.discard(self.transport)
        self.transport = None
