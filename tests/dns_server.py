"""A small DNS server on the loopback: it answers from a table, and on demand not at all or with a failure."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 60


@dataclass
class DnsServer:
    """``records`` are texts as in a zone file, by name (without the dot at its end) and type."""

    address: str
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    def add(self, name: str, kind: str, *texts: str) -> None:
        """Publish records."""
        self.records.setdefault((name, kind), []).extend(texts)

    def remove(self, name: str, kind: str) -> None:
        """Publish them no longer."""
        self.records.pop((name, kind), None)

    def answer(self, wire: bytes) -> bytes | None:
        """The reply to one question, or none."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        if name in self.silent:
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if name in self.failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif texts := self.records.get((name, kind)):
            reply.answer.append(dns.rrset.from_text_list(question.name, TTL, "IN", kind, texts))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


@contextmanager
def running() -> Iterator[DnsServer]:
    """A server while the block lasts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.1)
        server = DnsServer("{}:{}".format(*sock.getsockname()))
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    wire, client = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                if (reply := server.answer(wire)) is not None:
                    sock.sendto(reply, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()
