"""Messages per second of the transport beside smtplib, to the project's sink and to Postfix's smtp-sink if installed.

    python -m benchmarks.transport [--messages 5000] [--octets 27000]
    python -m benchmarks.transport --delay-ms 50 --batch 1 --messages 40

The second form measures BDAT against DATA: a server that answers so much later (0 is a value too), and mails in batches
of that size, each begun when the one before has been answered.
"""

import argparse
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.servers import Server, counting_sink, demo_sink, postfix_program, postfix_sink
from deliveries.mail import Mail
from deliveries.sending.handshake import RouteAddress
from deliveries.sending.journal import Journal
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.transport import Connection

LINE = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\r\n"


def mails(count: int, octets: int) -> Iterator[Mail]:
    """Mails of about `octets` octets."""
    data = b"Subject: benchmark\r\n\r\n" + LINE * (octets // len(LINE))
    for number in range(1, count + 1):
        recipient = f"person{number}@example.org"
        yield Mail(number, "errors@sender.example", recipient, (data,), smtputf8=False, eight_bit=False)


def transport(port: int, count: int, octets: int, batch: int | None = None) -> None:
    """Ours, with the journal a worker writes; the mails in batches of `batch`, else in one."""
    route = RouteAddress("127.0.0.1", port, ehlo_name="benchmark.example")
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder, "w.journal")) as journal,
        Connection(route) as connection,
    ):
        waiting = mails(count, octets)

        def may_leave(mail: Mail, leaving: Leaving) -> bool:
            if leaving is not Leaving.MAIL:
                journal.handing_over(mail.id)
            return True

        for _ in range(0, count, batch or count):
            now = islice(waiting, batch)
            for mail, reply in connection.send(now, may_leave):
                if not reply.accepted:
                    raise SystemExit(f"The server answered {reply}.")
                journal.outcome(mail.id, reply)


def standard_library(port: int, count: int, octets: int) -> None:
    """smtplib on one kept connection, without a journal."""
    with smtplib.SMTP("127.0.0.1", port, "benchmark.example") as client:
        for mail in mails(count, octets):
            client.sendmail(mail.sender, [mail.recipient], mail.data)


def measure(send: Callable[[int, int, int], None], port: int, count: int, octets: int) -> float:
    """Messages per second of wall time."""
    began = time.perf_counter()
    send(port, count, octets)
    return count / (time.perf_counter() - began)


def compare(options: argparse.Namespace) -> None:
    """Print one line for DATA and one for BDAT."""
    with tempfile.TemporaryDirectory() as folder:
        for name, without in (("DATA", ["CHUNKING"]), ("BDAT", [])):
            with counting_sink(Path(folder, name), delay_ms=options.delay_ms, without=without) as server:
                send = partial(transport, batch=options.batch)
                rate = measure(send, server.port, options.messages, options.octets)
                print(f"{name}, {options.delay_ms:g} ms, batches of {options.batch or 'all'}: {rate:8,.1f} messages/s")


def main() -> None:
    """Print one line per sender and server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--octets", type=int, default=27_000)
    parser.add_argument("--delay-ms", type=float)
    parser.add_argument("--batch", type=int)
    arguments = parser.parse_args()
    if arguments.delay_ms is not None:
        compare(arguments)
        return
    servers: list[Callable[[], AbstractContextManager[Server]]] = [demo_sink]
    if program := postfix_program("smtp-sink"):
        servers.append(partial(postfix_sink, program))
    for start in servers:
        with start() as server:
            for send in (transport, standard_library):
                rate = measure(send, server.port, arguments.messages, arguments.octets)
                print(f"{server.name:20} {send.__name__:18} {rate:8,.0f} messages/s")


if __name__ == "__main__":
    main()
