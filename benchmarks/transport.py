"""Messages per second of the transport beside smtplib, to the project's sink and to Postfix's smtp-sink if installed.

python -m benchmarks.transport [--messages 5000] [--octets 27000]
"""

import argparse
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def project_sink() -> Iterator[int]:
    """The demo's sink in its own process, writing files."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "campaign.demo.sink", "--folder", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.terminate()


@contextmanager
def postfix_sink(program: str) -> Iterator[int]:
    """Postfix's smtp-sink, which throws everything away."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    with subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "100"]) as process:
        time.sleep(0.5)
        try:
            yield port
        finally:
            process.terminate()


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
    servers = [("campaign.demo.sink", project_sink)]
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if program:
        servers.append(("postfix smtp-sink", lambda: postfix_sink(program)))
    for name, server in servers:
        with server() as port:
            for send in (transport, standard_library):
                rate = measure(send, port, arguments.messages, arguments.octets)
                print(f"{name:20} {send.__name__:18} {rate:8,.0f} messages/s")


if __name__ == "__main__":
    main()
