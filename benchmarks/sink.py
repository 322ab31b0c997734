"""A sink that counts: which message came, how often, and what it was told. ``python -m benchmarks.sink --log FILE``.

It is the demo's SMTP server without files. Each message it took is one line of the log, written
before the answer leaves:

    taken <Message-ID> address        accepted, and the answer says so
    withheld <Message-ID> address     accepted, but the connection is closed instead of an answer
    dropped STAGE                     the connection is closed, without an answer, at this point of the dialogue; CHUNK
                                      when a BDAT had come already

``--delay-ms`` answers each command that much later, as a server at that round trip time does, and ``--jitter-ms`` up to
so much later still, as a busy one does. ``--faults`` is the share of messages that meet a misbehaviour, drawn at random
with ``--seed``. ``--without`` names an extension not to offer. ``--moments`` is a second log: ``MAIL seconds`` or
``END seconds`` by the monotonic clock for each message begun and each content that has come in whole.
"""

import argparse
import asyncio
import random
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from campaign.demo.sink import EXTENSIONS, MAX_COMMAND_OCTETS, Fault, Mailbox, Received, Script, Sink, SinkProtocol

STALL_SECONDS = 2.0

OPENING_FAULTS = (
    Fault("CONNECT", reply="421 4.3.2 Not now", close=True),
    Fault("CONNECT", close=True),
    Fault("CONNECT", delay=STALL_SECONDS),
    Fault("EHLO", close=True),
)
OPENING_TIMES = 5
"""A connection meets a misbehaviour at its opening so many times as probably as a message does: it carries many."""

FAULTS = (
    Fault("MAIL", close=True),
    Fault("MAIL", reply="421 4.7.0 Too much from you", close=True),
    Fault("MAIL", reply="451 4.3.0 Local problem"),
    Fault("RCPT", close=True),
    Fault("RCPT", reply="550 5.1.1 No such user"),
    Fault("RCPT", reply="452 4.2.2 Mailbox full"),
    Fault("RCPT", reply="454 4.7.0 Throttling failure"),
    Fault("DATA", close=True),
    Fault("DATA", reply="554 5.7.1 Not from you"),
    Fault("DATA", delay=STALL_SECONDS),
    Fault("BODY", close=True),
    Fault("END", close=True),
    Fault("END", close=True, keep=True),
    Fault("END", reply="451 4.3.0 Try again"),
    Fault("END", reply="552 5.3.4 Too big"),
    Fault("END", reply="421 4.3.2 Shutting down", close=True),
    Fault("END", delay=STALL_SECONDS),
    Fault("END", delay=STALL_SECONDS, close=True, keep=True),
)
"""Every stage of a message and every kind of misbehaviour, one as probable as the other."""

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


class Ledger(Mailbox):
    """Keeps a line of each message instead of the message. ``word`` says how the next one is answered."""

    def __init__(self, log: IO[str]) -> None:
        super().__init__()
        self.word = "taken"
        self._log = log

    def store(self, received: Received) -> None:
        """A message that the sink has taken, whether its client hears of it or not."""
        self.count += 1
        found = _MESSAGE_ID.search(received.data[:4096])
        identifier = found[1].decode() if found else "-"
        self._log.write(f"{self.word} {identifier} {','.join(received.recipients)}\n")

    def dropped(self, at: str) -> None:
        """A connection that the sink closes without a word."""
        self._log.write(f"dropped {at}\n")


@dataclass(frozen=True, slots=True)
class Manners:
    """How the sink behaves: seconds before each answer, how many more at most, and the share of messages that meet a
    misbehaviour."""

    delay: float
    jitter: float
    faults: float
    chance: random.Random

    @property
    def answers_late(self) -> bool:
        """Not at once."""
        return self.delay > 0 or self.jitter > 0


class CountingProtocol(SinkProtocol):
    """One connection of the counting sink."""

    def __init__(self, sink: Sink, ledger: Ledger, manners: Manners, moments: IO[str] | None) -> None:
        super().__init__(sink)
        self.ledger = ledger
        self.manners = manners
        self.due: Fault | None = None
        self._moments = moments
        self._wire: asyncio.Transport | None = None
        self._late: deque[bytes] = deque()
        self._last_answer = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The greeting may be what goes wrong."""
        self._wire = cast("asyncio.Transport", transport)
        self._draw(OPENING_FAULTS, OPENING_TIMES * self.manners.faults)
        super().connection_made(transport)

    def _draw(self, faults: Sequence[Fault], share: float) -> None:
        chance = self.manners.chance
        self.due = chance.choice(faults) if chance.random() < share else None

    def _mail(self, argument: str) -> None:
        self._note_moment("MAIL")
        self._draw(FAULTS, self.manners.faults)
        super()._mail(argument)

    def _finish_content(self, content: bytes) -> None:
        self._note_moment("END")
        self.ledger.word = "withheld"
        super()._finish_content(content)

    def _note_moment(self, event: str) -> None:
        if self._moments is not None:
            self._moments.write(f"{event} {time.monotonic():.6f}\n")

    def _keep(self, received: Received) -> None:
        self.ledger.word = "taken"
        super()._keep(received)

    def _fault(self, at: str, recipient: str = "") -> Fault | None:
        return self.due if self.due is not None and self.due.at == at else None

    def _act(self, at: str, usual: Callable[[], None], recipient: str = "") -> bool:
        if self.due is None:
            usual()
            return False
        return super()._act(at, usual, recipient)

    def _misbehave(self, fault: Fault, usual: Callable[[], None]) -> None:
        if fault.close and not fault.reply:
            # A chunk leaves unasked, perhaps together with MAIL and RCPT: its client cannot know how far it came.
            chunk_came = self.chunk is not None or b"BDAT " in self.buffer[:MAX_COMMAND_OCTETS]
            self.ledger.dropped("CHUNK" if chunk_came else fault.at)
        super()._misbehave(fault, usual)

    def _flush(self) -> None:
        if not self.manners.answers_late:
            super()._flush()
        elif self.replies:
            self._later(b"".join(self.replies))
            self.replies.clear()

    def _hang_up(self) -> None:
        if not self.manners.answers_late:
            super()._hang_up()
            return
        self._flush()
        self._later(b"")
        self.transport = None

    def _later(self, answer: bytes) -> None:
        """Give an answer, or close for an empty one, after the round trip, in order."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.manners.delay + self.manners.chance.random() * self.manners.jitter
        self._last_answer = max(self._last_answer, due)
        self._late.append(answer)
        loop.call_at(self._last_answer, self._give)

    def _give(self) -> None:
        answer = self._late.popleft()
        if self._wire is None or self._wire.is_closing():
            return
        if answer:
            self._wire.write(answer)
        else:
            self._wire.close()


async def serve(log: Path, manners: Manners, without: Sequence[str], moments: Path | None) -> None:
    """Print the port, then serve until SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    with log.open("w", buffering=1) as file, ExitStack() as stack:
        ledger = Ledger(file)
        second = stack.enter_context(moments.open("w")) if moments is not None else None
        # A script with a fault in it, so that the parent asks for faults at all.
        extensions = tuple(extension for extension in EXTENSIONS if extension not in without)
        sink = Sink(ledger, Script(extensions, faults=FAULTS if manners.faults else ()))
        server = await loop.create_server(
            lambda: CountingProtocol(sink, ledger, manners, second), "127.0.0.1", 0, backlog=512
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await stopped.wait()
        server.close()


def main() -> None:
    """Run until SIGTERM; the first line on stdout is the port."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--moments", type=Path)
    options = parser.parse_args()
    manners = Manners(options.delay_ms / 1000, options.jitter_ms / 1000, options.faults, random.Random(options.seed))
    asyncio.run(serve(options.log, manners, options.without, options.moments))


if __name__ == "__main__":
    main()
