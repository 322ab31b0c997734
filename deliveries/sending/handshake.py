"""Connecting to a route: the session after greeting, encryption and AUTH, all by smtplib, within one time limit."""

import errno
import io
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from campaign.lib.connecting import Security, tls_context, why_not
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.sasl import Bearer
from campaign.lib.oauth.tokens import Access
from campaign.lib.sealing import SealBroken
from campaign.lib.waiting import Interrupted, Reading
from deliveries.relay import Mechanism, Protocol
from deliveries.sending import shutdown
from deliveries.sending.smtp.replies import one_line

BY_ITSELF: Final = (Mechanism.CRAM_MD5, Mechanism.PLAIN, Mechanism.LOGIN)
"""What is tried where no way of logging in is chosen, the best first."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. The waits for answers are those of RFC 5321 section 4.5.3.2; `connect` covers opening and AUTH."""

    connect: float = 30.0
    command: float = 300.0
    data: float = 120.0
    content: float = 180.0
    end_of_data: float = 600.0


@dataclass(frozen=True, slots=True)
class RouteAddress:
    """Where and how to connect. `name` is what operators call the route; an empty `ehlo_name` is the host's own name.

    `authority_file` names a PEM file with the certificate authority to trust instead of the system's; without
    `certificate_checks` any certificate will do. A `messages_per_connection` of 0 sets no limit. `source_address` is
    the IP address of this host to connect from, empty for the system's choice. Where `access` is given, it and not
    `password` has the access token for `mechanism`. `id` and `messages_per_second` (0: any
    number) are for whoever keeps to the route's rate.
    """

    host: str
    port: int
    security: Security = Security.NONE
    username: str = ""
    password: str = field(default="", repr=False)
    ehlo_name: str = ""
    name: str = ""
    authority_file: str = ""
    messages_per_connection: int = 0
    timeouts: Timeouts = Timeouts()
    protocol: Protocol = Protocol.SMTP
    mechanism: Mechanism = Mechanism.AUTOMATIC
    access: Access | None = None
    certificate_checks: bool = True
    source_address: str = ""
    id: int = 0
    messages_per_second: float = 0.0

    @property
    def label(self) -> str:
        """The route as a sentence names it."""
        return f"the route “{self.name}”" if self.name else "the route"

    @property
    def server(self) -> str:
        """The server as the beginning of a sentence names it."""
        return f"The {self.protocol.upper()} server {self.host}:{self.port}"


class RouteUnavailable(Exception):
    """No connection; of the mails without an outcome nothing was handed over. The message is a sentence for people."""


class LoginRefused(RouteUnavailable):
    """The server does not take these credentials."""


class Step(StrEnum):
    """What a handshake is about, as a sentence says it."""

    GREETING = "during the greeting"
    ENCRYPTION = "while agreeing on encryption"
    LOGIN = "while logging in"


class Handshake(smtplib.SMTP):
    """smtplib's client that gives up waiting `timeouts.connect` seconds after it was made, however slowly a server
    talks, and knows how far it came and how it logged in."""

    def __init__(self, route: RouteAddress) -> None:
        self._route = route
        self.step = Step.ENCRYPTION if route.security is Security.TLS else Step.GREETING
        self.mechanism = ""
        self._deadline = time.monotonic() + route.timeouts.connect
        # Without a name smtplib would ask the DNS for it at each connection.
        super().__init__(
            local_hostname=route.ehlo_name or socket.gethostname(),
            timeout=route.timeouts.connect,
            source_address=(route.source_address, 0) if route.source_address else None,
        )
        if route.protocol is Protocol.LMTP:
            self.ehlo_msg = "lhlo"

    def carry_out(self) -> None:
        """Connect, greet, encrypt, log in. Raises what smtplib, ssl and sockets raise."""
        # STARTTLS checks the certificate against the name that smtplib keeps here.
        self._host = self._route.host
        code, text = self.connect(self._route.host, self._route.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        self._greet()
        if self._route.security is Security.STARTTLS:
            self.step = Step.ENCRYPTION
            if not self.has_extn("starttls"):
                raise smtplib.SMTPNotSupportedError("it offers no STARTTLS.")
            self.starttls(context=_tls_context(self._route))
            self._greet()
        if self._route.username:
            self.step = Step.LOGIN
            self._log_in()

    def getreply(self) -> tuple[int, bytes]:
        """The next reply, in the time that is left. One octet a time must not stretch a wait without end."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(Reading(self.sock, lambda: min(self.time_left(), shutdown.patience())))
        return super().getreply()

    def auth(
        self, mechanism: str, authobject: Callable[..., Any], *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """As smtplib's, and remember what worked."""
        answer = super().auth(mechanism, authobject, initial_response_ok=initial_response_ok)
        self.mechanism = mechanism
        return answer

    def time_left(self) -> float:
        """Seconds until the handshake must be over. Raises TimeoutError when there are none."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        if self._route.security is not Security.TLS:
            return plain
        try:
            plain.settimeout(self.time_left())
            encrypted = _tls_context(self._route).wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        self.step = Step.GREETING
        return encrypted

    def _greet(self) -> None:
        """EHLO, HELO where that is not known; LHLO (RFC 2033 section 4.1)."""
        self.step = Step.GREETING
        if self._route.protocol is Protocol.SMTP:
            self.ehlo_or_helo_if_needed()
            return
        code, text = self.ehlo()
        if not 200 <= code <= 299:
            raise smtplib.SMTPHeloError(code, text)

    def _log_in(self) -> None:
        mechanism = self._route.mechanism
        wanted = BY_ITSELF if mechanism is Mechanism.AUTOMATIC else (mechanism,)
        offered = self.esmtp_features.get("auth", "").upper().split()
        if not set(wanted) & set(offered):
            what = f"AUTH {' '.join(offered)}" if offered else "no AUTH"
            raise smtplib.SMTPNotSupportedError(f"it offers {what}, not {' or '.join(wanted)}.")
        self.user, self.password = self._route.username, self._route.password
        refused: smtplib.SMTPAuthenticationError | None = None
        for way in (each for each in wanted if each in offered):
            try:
                self._log_in_by(way)
                return
            except smtplib.SMTPAuthenticationError as error:  # a server may offer a way that it has no secrets for
                refused = error
            except (TimeoutError, smtplib.SMTPServerDisconnected):
                # Servers let those who failed wait, longer each time, or hang up: what they said before is the reason.
                if refused is None:
                    raise
                break
        if refused is not None:
            raise refused

    def _log_in_by(self, way: Mechanism) -> None:
        answers: dict[str, Callable[..., Any]] = {
            Mechanism.PLAIN: self.auth_plain,
            Mechanism.LOGIN: self.auth_login,
            Mechanism.CRAM_MD5: self.auth_cram_md5,
            **dict.fromkeys(Bearer, self._auth_bearer),
        }
        # Not every server takes the user name in the same line as AUTH LOGIN.
        self.auth(way, answers[way], initial_response_ok=way is not Mechanism.LOGIN)

    def _auth_bearer(self, challenge: bytes | None = None) -> str:
        """The initial response with the access token; what is answered when the server tells an error."""
        bearer, route = Bearer(self._route.mechanism), self._route
        if challenge is not None:
            return bearer.last_words
        return bearer.first_words(route.username, route.password, route.host, route.port)


def _tls_context(route: RouteAddress) -> ssl.SSLContext:
    """How the route encrypts. Raises campaign.lib.connecting.AuthorityUnusable."""
    return tls_context(route.authority_file, certificate_checks=route.certificate_checks)


def open_session(route: RouteAddress) -> Handshake:
    """A session after EHLO, encryption and AUTH. Raises RouteUnavailable with a sentence that says what to mend.

    Where an access token is needed, the kept one is used or one is fetched first, and once more when the server refuses
    it.
    """
    if route.access is None:
        return _opened(route)
    try:
        token = route.access.token(shutdown.patience)
        try:
            return _opened(replace(route, password=token))
        except LoginRefused:
            another = route.access.token(shutdown.patience, refused=token)
            if another == token:
                raise
            return _opened(replace(route, password=another))
    except (TokenRefused, SealBroken, Interrupted) as error:
        raise RouteUnavailable(str(error)) from error


def _opened(route: RouteAddress) -> Handshake:
    session = Handshake(route)
    try:
        session.carry_out()
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        session.close()
        # 4xx is about the server; another token would not help.
        refused = isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500
        kind = LoginRefused if refused else RouteUnavailable
        raise kind(one_line(_sentence(route, session.step, error))) from error
    except BaseException:
        session.close()
        raise
    return session


_NO_SUCH_SOURCE: Final = (errno.EADDRNOTAVAIL, errno.EINVAL, errno.EAFNOSUPPORT, socket.EAI_ADDRFAMILY)


def _sentence(route: RouteAddress, step: Step, error: Exception) -> str:
    """What went wrong while connecting, and what to mend."""
    where = route.server
    general = why_not(error, protocol=route.protocol.upper(), host=route.host, port=route.port, settings=route.label)
    match error:
        case OSError() if route.source_address and error.errno in _NO_SUCH_SOURCE:
            return (
                f"This host cannot connect from {route.source_address} to {route.host} ({error.strerror}). "
                f"Check the source address of {route.label}."
            )
        case _ if general is not None:
            return general
        case TimeoutError():
            return _no_answer(route)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError() | BrokenPipeError():
            return _closed(route, step)
        case smtplib.SMTPServerDisconnected():
            # smtplib gives the same exception for a closed connection and for a wait that was too long.
            return _no_answer(route) if isinstance(error.__context__, TimeoutError) else _closed(route, step)
        case smtplib.SMTPAuthenticationError() if route.mechanism in {Mechanism.XOAUTH2, Mechanism.OAUTHBEARER}:
            said = _said(error).replace(route.password, "…")
            return (
                f"{where} refused the access token: {said}. "
                f"Check user name and scope of {route.label}, and whether its client may send mail for this user."
            )
        case smtplib.SMTPAuthenticationError():
            return f"{where} refused user name or password: {_said(error)}. Check the credentials of {route.label}."
        case smtplib.SMTPNotSupportedError():
            return f"{where} does not offer what {route.label} asks for: {error} Check security and credentials."
        case smtplib.SMTPResponseException():
            return (
                f"{where} does not accept the session {step}: {_said(error)}. "
                f"Check {route.label} and whether the server accepts this host."
            )
        case UnicodeEncodeError() if step is Step.LOGIN:
            return (
                f"User name or password of {route.label} hold characters that AUTH cannot carry. "
                "Use ASCII letters, digits and signs."
            )
        case _:
            return f"{where} could not be reached ({error}). Check {route.label}."


def _no_answer(route: RouteAddress) -> str:
    return (
        f"{route.server} did not answer within {route.timeouts.connect:g} seconds. "
        f"Check host, port and security of {route.label}, and the firewall."
    )


def _closed(route: RouteAddress, step: Step) -> str:
    what = "the credentials" if step is Step.LOGIN else "port and security"
    return (
        f"{route.server} closed the connection {step}. Check {what} of {route.label}, "
        "and whether the server accepts this host."
    )


def _said(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    return f"{error.smtp_code} {' '.join(text.split())}"
