"""Ask the DNS; what goes wrong becomes a sentence."""

import ipaddress
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

PORT = 53
TIMEOUT_SECONDS = 5.0
"""For one question, whatever is tried for it."""

_UDP_OCTETS = 1232
"""What a reply may have without being broken up on the way: a DKIM record does not fit the 512 of RFC 1035."""


class LookupFailed(Exception):
    """No answer, or none that can be used. ``str()`` is a sentence for people."""


class NoSuchDomain(Exception):
    """The DNS knows neither this name nor any below it."""


class Lookup:
    """Questions to the system's resolvers, or to ``server``: an IP address, with ``:port`` where it is not 53."""

    def __init__(self, server: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        self.timeout = timeout
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration:
            raise LookupFailed(
                "This host names no DNS server in /etc/resolv.conf. Name one with --dns-server."
            ) from None
        if server:
            address, port = _server(server)
            self._resolver.nameservers = [address]
            self._resolver.port = port
        self._resolver.use_edns(0, 0, _UDP_OCTETS)

    def txt(self, name: str) -> list[str]:
        """The TXT records of a name, each with its strings joined; none when there is no such name.

        Raises :class:`LookupFailed`.
        """
        try:
            answers = self._ask(name, "TXT")
        except NoSuchDomain:
            return []
        return [b"".join(answer.strings).decode("utf-8", "replace") for answer in answers if isinstance(answer, TXT)]

    def mx(self, name: str) -> list[str]:
        """The mail exchangers of a name, the preferred first, without the dot at the end.

        Raises :class:`NoSuchDomain` and :class:`LookupFailed`.
        """
        answers = [answer for answer in self._ask(name, "MX") if isinstance(answer, MX)]
        return [
            answer.exchange.to_text(omit_final_dot=True) for answer in sorted(answers, key=lambda mx: mx.preference)
        ]

    def has_address(self, name: str) -> bool:
        """Whether a host of this name has an IPv4 or IPv6 address. Raises :class:`LookupFailed`."""
        try:
            return bool(self._ask(name, "A") or self._ask(name, "AAAA"))
        except NoSuchDomain:
            return False

    def _ask(self, name: str, kind: str) -> list[object]:
        try:
            return list(self._resolver.resolve(f"{name}.", kind, lifetime=self.timeout, search=False))
        except dns.resolver.NXDOMAIN:
            raise NoSuchDomain from None
        except dns.resolver.NoAnswer:
            return []
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers, OSError):
            raise LookupFailed(
                f"The DNS gave no answer about {name} ({kind}). Try again, or ask another server with --dns-server."
            ) from None
        except dns.exception.DNSException:
            raise LookupFailed(f"“{name}” cannot be asked for in the DNS. Check its spelling.") from None


def _server(server: str) -> tuple[str, int]:
    try:
        if server.count(":") > 1 and not server.startswith("["):
            return str(ipaddress.ip_address(server)), PORT
        parts = urlsplit(f"//{server}")
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or PORT
    except ValueError:
        raise LookupFailed(
            f"“{server}” is not the address of a DNS server. It looks like 192.0.2.53 or 192.0.2.53:5353."
        ) from None
