"""Visit web addresses that authors wrote, as strangers would: public addresses only, little of each, not for long."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from deliveries.outside.addresses import NoAddress, NotPublic, is_public, resolve

MOST_URLS: Final = 100
SECONDS: Final = 20.0
"""For all addresses together. What has not answered then is cut off."""
SECONDS_OF_SILENCE: Final = 5.0
AT_A_TIME: Final = 8
MOST_REDIRECTS: Final = 5
MOST_OCTETS: Final = 2_000_000
"""Of one answer; the rest is not read."""
PORTS: Final = frozenset({80, 443, 8080, 8443})

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"User-Agent": "Mozilla/5.0 (compatible; campaign link check)", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a visit. ``status`` is 0 when there was none, and ``problem`` says why in a sentence.

    ``octets``: how long the answer is, as far as anybody knows; at least so long when it was cut off.
    """

    status: int = 0
    problem: str = ""
    content_type: str = ""
    octets: int = 0


@dataclass
class _Round:
    """What all visits of a round share: until when they may last, and the sockets to be cut off then."""

    until: float
    is_allowed: Callable[[str], bool]
    ports: frozenset[int] | None
    sockets: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False

    def take(self, sock: socket.socket) -> None:
        """Remember a socket, or shut it at once when the round is over."""
        with self.lock:
            self.sockets.add(sock)
            if self.over:
                _shut(sock)

    def end(self) -> None:
        """Cut off everything that is still open."""
        with self.lock:
            self.over = True
            for sock in self.sockets:
                _shut(sock)


def visit(
    urls: Iterable[str],
    *,
    seconds: float = SECONDS,
    is_allowed: Callable[[str], bool] = is_public,
    ports: frozenset[int] | None = PORTS,
) -> dict[str, Answer]:
    """The answers of up to :data:`MOST_URLS` http and https addresses, some of them side by side.

    ``is_allowed`` judges each IP address before anything is sent there; ``ports`` are those that may be asked
    (``None``: any). Nothing is raised: whatever goes wrong is an answer.
    """
    wanted = list(dict.fromkeys(urls))[:MOST_URLS]
    if not wanted:
        return {}
    this = _Round(time.monotonic() + seconds, is_allowed, ports)
    pool = ThreadPoolExecutor(AT_A_TIME, "visit")
    futures = {url: pool.submit(_visit, url, this) for url in wanted}
    done, _ = wait(futures.values(), timeout=seconds)
    this.end()
    pool.shutdown(wait=False, cancel_futures=True)
    late = Answer(problem=f"It does not answer within {seconds:.0f} seconds.")
    # Not those that ended because they were cut off: half an answer looks like one.
    return {url: future.result() if future in done else late for url, future in futures.items()}


def _visit(url: str, this: _Round) -> Answer:
    try:
        answer = _follow("HEAD", url, this)
        # Some servers know no HEAD, or answer it otherwise.
        return _follow("GET", url, this) if answer.status >= 400 else answer
    except (NoAddress, NotPublic) as problem:
        return Answer(problem=str(problem))
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or "the encryption fails"
        return Answer(problem=f"Browsers warn of its certificate: {str(reason)[:100]}.")
    except TimeoutError:
        return Answer(problem="It does not answer in time.")
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(problem="It cannot be reached, or does not answer as a web server does.")


def _follow(method: str, url: str, this: _Round) -> Answer:
    for _ in range(MOST_REDIRECTS + 1):
        answer, location = _ask(method, urlsplit(url), this)
        if answer.status not in _REDIRECTS or not location:
            return answer
        url = urljoin(url, location)
    return Answer(problem=f"It leads on more than {MOST_REDIRECTS} times.")


def _ask(method: str, parts: SplitResult, this: _Round) -> tuple[Answer, str]:
    """One request to one host; the answer, and where it leads on."""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotPublic("It leads on to something that is no web page.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if this.ports is not None and port not in this.ports:
        raise NotPublic(f"Port {port} is none of a public web server.")
    connection = _Connection(parts.scheme, parts.hostname, port, this)
    try:
        connection.request(method, _target(parts), headers=_HEADERS)
        response = connection.getresponse()
        length = response.getheader("Content-Length") or ""
        octets = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0
        if method == "GET" and not octets:
            octets = _count(response, this)
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()[:100]
        return Answer(response.status, "", kind, octets), response.getheader("Location") or ""
    finally:
        connection.close()


def _count(response: http.client.HTTPResponse, this: _Round) -> int:
    octets = 0
    while octets < MOST_OCTETS and time.monotonic() < this.until and (piece := response.read(65_536)):
        octets += len(piece)
    return octets


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else path


class _Connection(http.client.HTTPConnection):
    """A connection to the address that was judged: the name is not looked up again, so it cannot mean another one."""

    def __init__(self, scheme: str, host: str, port: int, this: _Round) -> None:
        super().__init__(host, port, timeout=SECONDS_OF_SILENCE)
        self.scheme = scheme
        self.this = this

    def connect(self) -> None:
        """Judge every address of the host, then open the first that answers."""
        addresses = resolve(self.host, self.port)
        if not all(map(self.this.is_allowed, addresses)):
            raise NotPublic("Its address is not in the public network, so recipients cannot reach it.")
        self.sock = self._open(addresses)
        self.this.take(self.sock)
        if self.scheme == "https":
            encrypted = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = encrypted
            self.this.take(encrypted)  # before the handshake, which may take its time as well
            encrypted.do_handshake()

    def _open(self, addresses: list[str]) -> socket.socket:
        for address in addresses[:3]:
            left = min(SECONDS_OF_SILENCE, self.this.until - time.monotonic())
            if left <= 0:
                break
            try:
                return socket.create_connection((address, self.port), timeout=left)
            except OSError:
                continue
        raise TimeoutError


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
