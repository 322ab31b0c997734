"""The demo's SMTP sink in a thread, and a mail to send to it. Import the fixture `smtp_sink` in a conftest."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from campaign.demo.sink import EXTENSIONS, Fault, Mailbox, Received, Script, Sink
from deliveries.mail import Mail
from deliveries.sending.handshake import RouteAddress, Timeouts

WITHOUT_PIPELINING = tuple(extension for extension in EXTENSIONS if extension != "PIPELINING")
WITHOUT_CHUNKING = tuple(extension for extension in EXTENSIONS if extension != "CHUNKING")

SAMPLE = Mail(
    id=1,
    sender="errors@sender.example",
    recipient="person@example.org",
    pieces=(b"Subject: Sample\r\n\r\nHello\r\n.\r\n..two\r\nEnd\r\n",),
    smtputf8=False,
    eight_bit=False,
)


def mails(count: int, data: bytes = SAMPLE.data) -> list[Mail]:
    """Mails 1 to `count`, to person1@example.org and so on."""
    return [replace(SAMPLE, id=n, recipient=f"person{n}@example.org", pieces=(data,)) for n in range(1, count + 1)]


class SinkThread:
    """A sink on a port of the loopback, a free one for 0. Set `script` before connecting."""

    def __init__(self, port: int = 0) -> None:
        self.sink = Sink(Mailbox(), events=[])
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def messages(self) -> list[Received]:
        return self.sink.mailbox.messages

    @property
    def events(self) -> list[str]:
        return self.sink.events or []

    def misbehave(self, *faults: Fault) -> None:
        """Let these faults happen, on a server that offers everything."""
        self.sink.script = Script(faults=faults)

    def route(self, **changes: object) -> RouteAddress:
        """A route to the sink with short times."""
        timeouts = Timeouts(connect=2.0, command=2.0, data=2.0, content=2.0, end_of_data=2.0)
        route = RouteAddress("127.0.0.1", self.port, ehlo_name="worker.example", timeouts=timeouts)
        return replace(route, **changes)  # type: ignore[arg-type]

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(60):
            raise RuntimeError("The SMTP sink did not start within a minute.")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self.sink.listen(port=self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for transport in tuple(self.sink.open):
            transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.close()


@pytest.fixture
def smtp_sink() -> Iterator[SinkThread]:
    """A running sink that keeps its messages in memory."""
    thread = SinkThread()
    thread.start()
    yield thread
    thread.stop()
