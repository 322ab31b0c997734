"""Messages per second of the transport beside smtplib, to the project's sink and to Postfix's smtp-sink if installed.

python -m benchmarks.transport [--messages 5000] [--octets 27000]
"""

import argparse
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from benchmarks.servers import Server, demo_sink, postfix_program, postfix_sink
from deliveries.mail import Mail
from deliveries.sending.journal import Journal
from deliveries.sending.transport import Connection, RouteAddress

LINE = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\r\n"


def mails(count: int, octets: int) -> Iterator[Mail]:
    """Mails of about `octets` octets."""
    data = b"Subject: benchmark\r\n\r\n" + LINE * (octets // len(LINE))
    for number in range(1, count + 1):
        recipient = f"person{number}@example.org"
        yield Mail(number, "errors@sender.example", recipient, data, smtputf8=False, eight_bit=False)


def transport(port: int, count: int, octets: int) -> None:
    """Ours, with the journal a worker writes."""
    route = RouteAddress("127.0.0.1", port, ehlo_name="benchmark.example")
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder, "w.journal")) as journal,
        Connection(route) as connection,
    ):
        for mail, reply in connection.send(mails(count, octets), lambda mail: journal.handing_over(mail.id)):
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


def main() -> None:
    """Print one line per sender and server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--octets", type=int, default=27_000)
    arguments = parser.parse_args()
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
