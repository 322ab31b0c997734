"""Servers that do what no honest server does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import repeat
from typing import Self

from deliveries.sending.handshake import RouteAddress, Timeouts

SHORT = Timeouts(connect=0.5, command=0.5, data=0.5, content=0.5, end_of_data=0.5)
"""For a server that is known not to answer."""
PATIENT = Timeouts(connect=20, command=20, data=20, content=20, end_of_data=20)


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return when the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.005)


def once_proven(said: str, *, last: str = "") -> "ScriptedServer":
    """A server with BDAT that takes one message, and says `said` at the end of the second and nothing before.

    Both end in the line “End”, as the sample does; a client that waits for an answer before that waits in vain.
    """
    answers: dict[str, str | list[str]] = {
        "EHLO": "250-scripted\r\n250-PIPELINING\r\n250 CHUNKING",
        "MAIL": ["250 a"],
        "RCPT": ["250 b"],
        "END": ["250 c", said],
        "RSET": "250 d",
    }
    return ScriptedServer(answers, last=last)


class ScriptedServer:
    """Answers each command by its verb, whatever its state, to one connection; `heard` is all that came in.

    `greeting` is sent at once; an unlisted verb gets no answer. A list holds the answers to a verb's first, second, …
    time. It hangs up after the answer `last`.
    """

    def __init__(self, answers: Mapping[str, str | list[str]], greeting: str = "220 scripted", last: str = "") -> None:
        answers = {"EHLO": "250-scripted\r\n250 PIPELINING", **answers}
        self.answers = {verb: iter(said) if isinstance(said, list) else repeat(said) for verb, said in answers.items()}
        self.greeting = greeting
        self.last = last
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.route = RouteAddress("127.0.0.1", self._listener.getsockname()[1], ehlo_name="w.example", timeouts=PATIENT)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        _wake(self._listener)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:  # nobody came before the test ended
            return
        with peer:
            peer.settimeout(3)
            peer.sendall(self.greeting.encode() + b"\r\n")
            for line in peer.makefile("rb"):
                self.heard += line
                verb = line.split()[0].decode().upper() if line.split() else ""
                answer = next(self.answers.get(verb, repeat("", 0)), "")
                if answer:
                    peer.sendall(answer.encode() + b"\r\n")
                if answer and answer == self.last:
                    return


def _wake(listener: socket.socket) -> None:
    """End the waiting for somebody who did not come."""
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)


Dialogue = Callable[[socket.socket], None]


@contextmanager
def serving(dialogue: Dialogue, **route: object) -> Iterator[RouteAddress]:
    """A server that has this dialogue with one client, then closes."""

    def serve() -> None:
        try:
            peer, _ = listener.accept()
        except OSError:  # nobody came before the test ended
            return
        with peer:
            peer.settimeout(5)
            try:
                dialogue(peer)
            except OSError:  # the client had enough
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = RouteAddress("127.0.0.1", listener.getsockname()[1], ehlo_name="w.example", name="Main")
        yield replace(address, **{"timeouts": SHORT, **route})  # type: ignore[arg-type]
        _wake(listener)
    thread.join(5)


def says(*lines: str) -> Dialogue:
    """A line at once, then one for each line of the client; then the end. “” is no answer at all."""

    def dialogue(peer: socket.socket) -> None:
        heard = peer.makefile("rb")
        for number, line in enumerate(lines):
            if number:
                heard.readline()
            if not line:
                time.sleep(1)
            else:
                peer.sendall(line.replace("|", "\r\n").encode() + b"\r\n")
        heard.readline()

    return dialogue
