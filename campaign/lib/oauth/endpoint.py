"""Asking a token endpoint (RFC 6749, section 3.2) within limits of time and size.

The operator says where it is, as with the host of a route, so it may be in the network of the house. What protects
others there: nothing is sent before the certificate was found valid for the name, redirects are not followed, and of
the answer only the error that its JSON names is ever told.
"""

import http.client
import io
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from campaign.lib.connecting import tls_context, why_not
from campaign.lib.oauth.answer import Answer, Granted, TokenRefused, understand
from campaign.lib.waiting import Interrupted, Patience, Reading

HTTPS_PORT: Final = 443
SECONDS: Final = 10.0
"""From the first look at the DNS to the last octet; what takes longer counts as no answer."""
SECONDS_AN_ADDRESS: Final = 4.0
"""Until a connection to one of the endpoint's addresses is open, so that another one has its turn."""
MOST_OCTETS: Final = 65_536
"""Of an answer."""

_SAFE: Final = "/%:@!$&'()*+,;=?~-._"


class NotHttps(ValueError):
    """Secrets go nowhere in clear."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What is asked of whom, and for whom: `label`, as in “the route “Main””."""

    url: str
    label: str
    form: Mapping[str, str] = field(repr=False)

    @property
    def host(self) -> str:
        """Who is asked, as a sentence names it; the rest of an address may be a secret."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """443 unless the address says otherwise."""
        return urlsplit(self.url).port or HTTPS_PORT


def ask(request: TokenRequest, patience: Patience) -> Granted:
    """A fresh token. `patience` is heeded while the endpoint says nothing, besides :data:`SECONDS`.

    Raises :class:`TokenRefused` and :class:`campaign.lib.waiting.Interrupted`.
    """
    try:
        answer = _posted(request, _time_left(), patience)
    except Interrupted:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        # No “from”: what libraries say of a broken answer quotes it.
        raise TokenRefused(_sentence(request, error)) from None
    if len(answer.content) > MOST_OCTETS:
        raise TokenRefused(
            f"The token endpoint {request.host} answered with more than {MOST_OCTETS // 1024} KB, which is no token. "
            f"Check the token address of {request.label}."
        )
    secrets = [request.form[name] for name in ("client_secret", "refresh_token") if name in request.form]
    return understand(answer, host=request.host, label=request.label, grant=request.form["grant_type"], secrets=secrets)


def _time_left() -> Patience:
    until = time.monotonic() + SECONDS

    def left() -> float:
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    return left


def _posted(request: TokenRequest, time_left: Patience, patience: Patience) -> Answer:
    """The answer's beginning. Raises OSError, http.client.HTTPException and ValueError."""
    parts = urlsplit(request.url)
    if parts.scheme != "https" or not parts.hostname:
        raise NotHttps
    connection = _Connection(parts.hostname, request.port, time_left, patience)
    try:
        query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        connection.request(
            "POST",
            quote(parts.path or "/", safe=_SAFE) + query,
            body=urlencode(request.form),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "Connection": "close",
            },
        )
        response = connection.getresponse()
        return Answer(
            response.status,
            response.read(MOST_OCTETS + 1),
            (response.getheader("Content-Type") or "").partition(";")[0].strip().lower(),
            _host_of(response.getheader("Location") or ""),
        )
    finally:
        connection.hang_up()


def _host_of(location: str) -> str:
    """Where a redirect leads; empty where that cannot be said."""
    try:
        return (urlsplit(location).hostname or "").encode("idna").decode()[:100]
    except ValueError:
        return ""


class _Connection(http.client.HTTPConnection):
    """HTTP in TLS, which is over when no time is left, however slowly the other side talks."""

    def __init__(self, host: str, port: int, time_left: Patience, patience: Patience) -> None:
        super().__init__(host, port)
        self._time_left = time_left
        self._patience = patience
        self._encrypted: socket.socket | None = None

    def connect(self) -> None:
        """Connect, and find the certificate valid for the host's name before anything is said."""
        plain = self._opened()
        try:
            plain.settimeout(self._time_left())
            self._encrypted = tls_context().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        self.sock = _TimedSocket(self._encrypted, self._time_left, self._patience)

    def hang_up(self) -> None:
        """Close the socket, which http.client gives up before the answer's content is read."""
        if self._encrypted is not None:
            self._encrypted.close()

    def _opened(self) -> socket.socket:
        problem: OSError = TimeoutError()
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(SECONDS_AN_ADDRESS, self._time_left()))
                sock.connect(address)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        raise problem


class _TimedSocket:
    """What http.client needs of a socket, with a limit over all that is done with it."""

    def __init__(self, sock: socket.socket, time_left: Patience, patience: Patience) -> None:
        self._sock = sock
        self._time_left = time_left
        self._patience = patience

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self._sock.settimeout(self._time_left())
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What the other side says."""
        return io.BufferedReader(Reading(self._sock, lambda: min(self._time_left(), self._patience())))

    def close(self) -> None:
        """Whoever opened it closes it."""


def _sentence(request: TokenRequest, error: Exception) -> str:
    """Why there was no answer, and what to mend."""
    settings = f"the token address of {request.label}"
    general = why_not(error, protocol="token", host=request.host, port=request.port, settings=settings)
    where = f"The token endpoint {request.host}"
    match error:
        case NotHttps():
            return f"The token address of {request.label} must begin with https://: the client secret goes there."
        case _ if general is not None:
            return general
        case TimeoutError():
            return f"{where} did not answer within {SECONDS:.0f} seconds. Check {settings}, and the firewall."
        case OSError() if error.strerror:
            return f"{where} could not be reached ({error.strerror}). Check {settings}, and the firewall."
        case _:
            return f"{where} does not answer as a web server does. Check {settings}."
