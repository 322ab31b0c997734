"""Requests as providers send them, signed as they sign them."""

import base64
import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from bounces.sources.webhooks import amazon_ses
from deliveries.models import Message
from tests.bounces import sent

CREDENTIALS = "provider:a-long-random-secret"
SIGNING_KEY = "mailgun-signing-key"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"

_events = count(1)


@dataclass(frozen=True)
class Call:
    """A request to the address of a provider."""

    name: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/hooks/{self.name}/"


class Caller(ABC):
    """A provider that calls. Each makes its own request about a message, or about one that is not ours."""

    name: str
    headers = {"Authorization": "Basic " + base64.b64encode(CREDENTIALS.encode()).decode()}

    def bounce(self, message: Message | None, words: str = sent.GONE) -> Call:
        """The recipient's server refused."""
        address = message.address if message else "somebody@example.net"
        return self.call(self.bounced(message, address, words.format(address=address)))

    def complaint(self, message: Message) -> Call:
        """The recipient pressed *spam*."""
        return self.call(self.complained(message, message.address))

    def opened(self, message: Message) -> Call:
        """Something that is no failure."""
        return self.call(self.opens(message, message.address))

    def opened_by_nobody(self) -> Call:
        """A request that is allowed, to be filled with something else."""
        return Call(self.name, b"", self.headers)

    def call(self, event: Any) -> Call:
        return Call(self.name, json.dumps(event).encode(), self.headers)

    def batch(self, events: list[Any]) -> Call:
        """Several events in one request."""
        return self.call(events)

    @abstractmethod
    def bounced(self, message: Message | None, address: str, words: str) -> Any: ...

    @abstractmethod
    def complained(self, message: Message, address: str) -> Any: ...

    @abstractmethod
    def opens(self, message: Message, address: str) -> Any: ...


def _message_id(message: Message | None) -> str:
    return str(sent.header(message)["Message-ID"]) if message else "<1234@elsewhere.example>"


def _identifier(message: Message | None) -> str:
    return sent.envelope_id(message) if message else "elsewhere"


def _return_path(message: Message | None) -> str:
    return sent.return_path(message) if message else "bounces@elsewhere.example"


class AmazonSES(Caller):
    name = "amazon-ses"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def call(self, event: Any) -> Call:
        envelope = {
            "Type": "Notification",
            "MessageId": f"sns-{next(_events)}",
            "TopicArn": "arn:aws:sns:eu-west-1:1:bounces",
            "Message": json.dumps(event),
            "Timestamp": "2026-11-27T12:00:00.000Z",
        }
        return self.signed(envelope)

    def signed(self, envelope: dict[str, str]) -> Call:
        """The envelope with Amazon's signature."""
        text = "".join(f"{name}\n{envelope[name]}\n" for name in sorted(envelope))
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        envelope = {
            **envelope,
            "SignatureVersion": "2",
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": CERTIFICATE_URL,
        }
        headers = {
            "x-amz-sns-message-type": envelope["Type"],
            "x-amz-sns-message-id": envelope["MessageId"],
            "Content-Type": "text/plain; charset=UTF-8",
        }
        return Call(self.name, json.dumps(envelope).encode(), {**self.headers, **headers})

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        bounced = [{"emailAddress": address, "status": words.split()[1], "diagnosticCode": f"smtp; {words}"}]
        bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": bounced}
        return {"notificationType": "Bounce", "bounce": bounce, "mail": self._mail(message, address)}

    def complained(self, message: Message, address: str) -> Any:
        complaint = {"complainedRecipients": [{"emailAddress": address}], "complaintFeedbackType": "abuse"}
        return {"notificationType": "Complaint", "complaint": complaint, "mail": self._mail(message, address)}

    def opens(self, message: Message, address: str) -> Any:
        return {"eventType": "Open", "open": {"userAgent": "Mail/1"}, "mail": self._mail(message, address)}

    @staticmethod
    def _mail(message: Message | None, address: str) -> Any:
        return {"messageId": "ses-1", "source": _return_path(message), "destination": [address]}


class Mailgun(Caller):
    name = "mailgun"

    def call(self, event: Any) -> Call:
        token, timestamp = f"token-{next(_events)}", "1795780000"
        signature = hmac.new(SIGNING_KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
        signed = {"signature": {"token": token, "timestamp": timestamp, "signature": signature}, "event-data": event}
        return Call(self.name, json.dumps(signed).encode(), {**self.headers, "Content-Type": "application/json"})

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        status = {"code": int(words[:3]), "message": words, "enhanced-code": words.split()[1]}
        return {
            **self._common(message, address, "failed"), "severity": "permanent", "reason": "bounce",
            "delivery-status": status,
        }  # fmt: skip

    def complained(self, message: Message, address: str) -> Any:
        return self._common(message, address, "complained")

    def opens(self, message: Message, address: str) -> Any:
        return self._common(message, address, "opened")

    @staticmethod
    def _common(message: Message | None, address: str, event: str) -> Any:
        headers = {"message-id": _message_id(message).strip("<>"), "to": address}
        return {"event": event, "timestamp": 1795780000.5, "recipient": address, "message": {"headers": headers}}


class Postmark(Caller):
    name = "postmark"

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        return {
            **self._common(message, address), "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1,
            "Details": words, "Description": "The server was unable to deliver your message.",
            "BouncedAt": "2026-11-27T12:00:00Z",
        }  # fmt: skip

    def complained(self, message: Message, address: str) -> Any:
        return {**self._common(message, address), "RecordType": "SpamComplaint", "Type": "SpamComplaint"}

    def opens(self, message: Message, address: str) -> Any:
        return {**self._common(message, address), "RecordType": "Open", "Recipient": address}

    @staticmethod
    def _common(message: Message | None, address: str) -> Any:
        return {
            "ID": next(_events),
            "Email": address,
            "MessageID": "p-1",
            "Metadata": {"message": _identifier(message)},
        }


class SendGrid(Caller):
    name = "sendgrid"
    key = ec.generate_private_key(ec.SECP256R1())

    def call(self, event: Any) -> Call:
        return self.batch([event])

    def batch(self, events: list[Any]) -> Call:
        body, timestamp = json.dumps(events).encode(), "1795780000"
        signature = self.key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
        return Call(self.name, body, {**self.headers, **headers})

    @classmethod
    def verification_key(cls) -> str:
        """As SendGrid shows it."""
        der = cls.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        return {
            **self._common(message, address, "bounce"), "reason": words, "status": words.split()[1], "type": "bounce",
        }  # fmt: skip

    def complained(self, message: Message, address: str) -> Any:
        return self._common(message, address, "spamreport")

    def opens(self, message: Message, address: str) -> Any:
        return self._common(message, address, "open")

    @staticmethod
    def _common(message: Message | None, address: str, event: str) -> Any:
        return {
            "email": address, "event": event, "timestamp": 1795780000, "smtp-id": _message_id(message),
            "sg_event_id": f"sg-{next(_events)}",
        }  # fmt: skip


class SparkPost(Caller):
    name = "sparkpost"

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        return self._event(message, address, type="bounce", bounce_class="10", raw_reason=words)

    def complained(self, message: Message, address: str) -> Any:
        return self._event(message, address, type="spam_complaint")

    def opens(self, message: Message, address: str) -> Any:
        return self._event(message, address, type="open")

    @staticmethod
    def _event(message: Message | None, address: str, **values: str) -> Any:
        common = {
            "event_id": f"sp-{next(_events)}", "timestamp": "1795780000", "raw_rcpt_to": address,
            "msg_from": _return_path(message), "rcpt_meta": {"message": _identifier(message)},
        }  # fmt: skip
        return [{"msys": {"message_event": {**common, **values}}}, {"msys": {}}]


class Brevo(Caller):
    name = "brevo"

    def bounced(self, message: Message | None, address: str, words: str) -> Any:
        return {**self._common(message, address), "event": "hard_bounce", "reason": words}

    def complained(self, message: Message, address: str) -> Any:
        return {**self._common(message, address), "event": "spam"}

    def opens(self, message: Message, address: str) -> Any:
        return {**self._common(message, address), "event": "opened"}

    @staticmethod
    def _common(message: Message | None, address: str) -> Any:
        return {
            "email": address, "ts_epoch": 1795780000000, "message-id": _message_id(message),
            "X-Mailin-custom": json.dumps({"message": _identifier(message)}),
        }  # fmt: skip


CALLERS: tuple[type[Caller], ...] = (AmazonSES, Mailgun, Postmark, SendGrid, SparkPost, Brevo)


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(AmazonSES.key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(AmazonSES.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Amazon:
    """Amazon's web server: what it was asked for."""

    asked: list[str] = field(default_factory=list)

    def get(self, url: str, **_: object) -> "Amazon":
        self.asked.append(url)
        return self

    content = _certificate()

    def raise_for_status(self) -> None:
        """It was there."""


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """Nobody asks the real one."""
    made = Amazon()
    amazon_ses._key.cache_clear()
    monkeypatch.setattr("requests.get", made.get)
    yield made
    amazon_ses._key.cache_clear()


@pytest.fixture
def configured(settings: Any, amazon: Amazon) -> None:
    """Every provider may call."""
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": [CREDENTIALS],
        "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY,
        "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": SendGrid.verification_key(),
    }
