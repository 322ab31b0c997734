"""Mails of the installation itself: plain text to one address, signed and sent like every other, in no log."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from django.conf import settings

from campaign.lib.sealing import SealBroken
from deliveries.keys import signer, signing_keys
from deliveries.mail import Mail
from deliveries.rendering import dkim, encode
from deliveries.rendering.encode import MessageError
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.routes import NoRoute, one_connection, route_of_sender
from deliveries.sending.session import ConnectionLost


@dataclass(frozen=True, slots=True)
class OwnMail:
    """What such a mail says. ``text`` has ``\\n`` between lines."""

    sender_name: str
    sender_address: str
    recipient: str
    subject: str
    text: str
    language: str


def make(number: int, said: OwnMail, at: datetime) -> Mail:
    """The mail as it travels; ``number`` tells it from others of its kind. Raises :class:`MessageError`."""
    sender = encode.wire_address("the sender’s address", said.sender_address)
    recipient = encode.wire_address("the recipient’s address", said.recipient)
    body = encode.quoted_printable(said.text).encode()
    fields = [
        f"Date: {format_datetime(at)}\r\n".encode(),
        encode.address_header("From", encode.check_value("the sender’s name", said.sender_name), sender),
        encode.address_header("To", "", recipient),
        encode.header("Subject", encode.check_value("the subject", said.subject)),
        f"Message-ID: <{secrets.token_hex(16)}@{sender.rpartition('@')[2]}>\r\n".encode(),
        b"Auto-Submitted: auto-generated\r\n",  # RFC 3834: no automatic reply, please
        f"Content-Language: {said.language}\r\n".encode(),
        b"MIME-Version: 1.0\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
    ]
    signers = [signer(key.pk) for key in signing_keys(said.sender_address)]
    signed = dkim.signatures(signers, fields, [body], int(at.timestamp())) if signers else b""
    data = b"".join([signed, *fields, b"\r\n", body])
    error_address = encode.wire_address("the error address", settings.ERROR_ADDRESS or sender)
    ascii_only = recipient.isascii() and sender.isascii() and error_address.isascii()
    return Mail(number, error_address, recipient, (data,), smtputf8=not ascii_only, eight_bit=not data.isascii())


def send(number: int, said: OwnMail, at: datetime) -> str:
    """Hand a mail over by the route of its sender's domain; empty when a server took it, else a sentence."""
    try:
        mail = make(number, said, at)
        with one_connection(route_of_sender(said.sender_address)) as server:
            [(_, reply)] = server.send([mail])
    except (MessageError, NoRoute, RouteUnavailable, SealBroken) as error:
        return str(error)
    except ConnectionLost as lost:
        return lost.sentence
    return "" if reply.accepted else str(reply)
