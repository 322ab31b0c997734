"""Messages that have left, as rows and as bytes, and what servers send back about them."""

from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mail
from urllib.parse import parse_qs, urlsplit

from campaign.lib.clock import now
from deliveries.models import Delivery, Message, Part
from deliveries.rows import message_row, renderer
from deliveries.sending import outcomes
from deliveries.sending.outcomes import Outcome
from deliveries.states import MessageState
from recipients.models import RecipientList
from tests.deliveries import factories

GONE = "550 5.1.1 <{address}>: Recipient address rejected: User unknown"
FULL = "452 4.2.2 <{address}>: The mailbox is full"


def delivered(count: int = 1, *, at: datetime | None = None, **values: object) -> Delivery:
    """A delivery whose messages, to person1@example.org and so on, were all accepted."""
    made = factories.confirmed(factories.delivery(factories.people(count), **values))
    Part.objects.filter(delivery=made).update(dated_at=at or now())
    accept(made, at)
    return made


def accept(made: Delivery, at: datetime | None = None) -> None:
    """The server takes every message."""
    outcomes.record(
        [
            Outcome(message.pk, MessageState.SENT, "250 2.0.0 Ok", at or now())
            for message in Message.objects.of_delivery(made.pk)
        ]
    )


def messages(made: Delivery) -> list[Message]:
    """Its messages in order."""
    return list(Message.objects.of_delivery(made.pk).order_by("pk").select_related("content"))


def wire(message: Message) -> bytes:
    """The mail as it left, with LF line ends."""
    return renderer(message.content_id).mail(message_row(message)).data.replace(b"\r\n", b"\n")


def header(message: Message) -> Mail:
    """The header fields of the mail that left."""
    return message_from_bytes(wire(message))


def return_path(message: Message) -> str:
    """The envelope sender it left with."""
    return renderer(message.content_id).mail(message_row(message)).sender


def unsubscription(message: Message) -> tuple[str, str]:
    """Address and subject of the mail by which its recipient unsubscribes."""
    uri = urlsplit(str(header(message)["List-Unsubscribe"]).partition("mailto:")[2].partition(">")[0])
    return uri.path, parse_qs(uri.query)["subject"][0]


def envelope_id(message: Message) -> str:
    """The ENVID it left with."""
    return renderer(message.content_id).mail(message_row(message)).envelope_id


def bounce(
    message: Message,
    words: str = GONE,
    *,
    to: str | None = None,
    address: str | None = None,
    action: str = "failed",
    fields: str = "",
    original: bytes | None = None,
) -> bytes:
    """A delivery status notification about a message; ``to`` is where it comes back, by default its return path."""
    who = address or message.address
    said = words.format(address=who)
    quoted = wire(message) if original is None else original
    return (
        "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.org>\n"
        f"To: {return_path(message) if to is None else to}\nSubject: Undelivered Mail Returned to Sender\n"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=b1"\n\n'
        "--=b1\nContent-Type: text/plain\n\nThis is the mail system at host mx.example.org.\n\n"
        f"--=b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n{fields}\n\n"
        f"Final-Recipient: rfc822; {who}\nAction: {action}\nStatus: {said.split()[1]}\n"
        f"Diagnostic-Code: smtp; {said}\n\n--=b1\nContent-Type: message/rfc822\n\n"
    ).encode() + (quoted + b"\n--=b1--\n")


def complaint(message: Message, *, to: str = "fbl@example.com", original: bytes | None = None) -> bytes:
    """A feedback report (RFC 5965) that hides who complained, as many providers' do."""
    return (
        (
            f"From: feedback@provider.example\nTo: {to}\nSubject: complaint\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=feedback-report; boundary="=b1"\n\n'
            "--=b1\nContent-Type: text/plain\n\nThis is an email abuse report.\n"
            "--=b1\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1\nVersion: 1\n\n"
            "--=b1\nContent-Type: message/rfc822\n\n"
        ).encode()
        + (wire(message) if original is None else original)
        + b"\n--=b1--\n"
    )


def delivered_again(message: Message, *, at: datetime) -> Message:
    """Another delivery's message to the same person, accepted at this time."""
    made = factories.delivery(label="Later")
    made.target_lists.add(*RecipientList.objects.all())
    factories.confirmed(made)
    accept(made, at)
    return Message.objects.of_delivery(made.pk).get(address=message.address)
