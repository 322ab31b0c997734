"""Amazon SES: events by SNS, whose signature anymail leaves to us."""

import re
from base64 import b64decode
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBasicAuthMixin
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate
from django.http import HttpRequest

from bounces.sources.webhooks.provider import (
    FULL,
    NOT_FAILED,
    REFUSED,
    SOFT,
    UNKNOWN_USER,
    Provider,
    Quoted,
    enhanced,
    provider,
    text_at,
)
from deliveries.sending.verdict import Verdict

_HOST: Final = re.compile(r"sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?")
_SECONDS: Final = 10
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_OPINIONS: Final = {
    ("Permanent", ""): UNKNOWN_USER,
    ("Transient", "General"): NOT_FAILED,  # mostly automatic answers, says Amazon
    ("Transient", "MailboxFull"): FULL,
    ("Transient", "MessageTooLarge"): REFUSED,
    ("Transient", "ContentRejected"): REFUSED,
    ("Transient", "AttachmentRejected"): REFUSED,
    ("Transient", ""): SOFT,
    ("Undetermined", ""): SOFT,
}


class SignedView(AmazonSESTrackingWebhookView):  # type: ignore[misc]
    """anymail's, with SNS's signature checked and subscriptions confirmed without an account of Amazon's."""

    def validate_request(self, request: HttpRequest) -> None:
        """Raises AnymailWebhookValidationFailure unless Amazon signed the request."""
        # Credentials first: nobody else makes us ask for a certificate.
        AnymailBasicAuthMixin.validate_request(self, request)
        message = self._parse_sns_message(request)
        names = _SIGNED.get(message.get("Type"), ())
        text = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
        algorithm = _HASHES.get(str(message.get("SignatureVersion")))
        try:
            if algorithm is None or not names:
                raise ValueError("unknown kind of signature")
            key = _key(_amazons(str(message.get("SigningCertURL"))))
            key.verify(b64decode(str(message.get("Signature"))), text.encode(), padding.PKCS1v15(), algorithm())
        except (ValueError, InvalidSignature) as error:
            raise AnymailWebhookValidationFailure("The signature is not Amazon's.") from error

    def auto_confirm_sns_subscription(self, message: dict[str, Any]) -> None:
        """Open the address that confirms, once credentials and signature are found good."""
        try:
            address = _amazons(str(message.get("SubscribeURL")))
        except ValueError as error:
            raise AnymailWebhookValidationFailure("The address to confirm at is not Amazon's.") from error
        requests.get(address, timeout=_SECONDS, allow_redirects=False).raise_for_status()


def _amazons(url: str) -> str:
    """The address, if it is one of SNS; we ask nobody else. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.username or parts.port or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(url)
    return url


@lru_cache(maxsize=16)
def _key(url: str) -> rsa.RSAPublicKey:
    """The key of the certificate at an address of Amazon's. Raises ValueError, and requests' errors."""
    answer = requests.get(url, timeout=_SECONDS, allow_redirects=False)
    answer.raise_for_status()
    key = load_pem_x509_certificate(answer.content).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(url)
    return key


@provider
class AmazonSES(Provider):
    """Events that SES publishes to a topic of SNS."""

    name = "amazon-ses"
    label = "Amazon SES"
    view = SignedView

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """The envelope sender; with *original headers* switched on, those as well. SES replaces the Message-ID."""
        mail = event.esp_event.get("mail", {})
        headers = mail.get("headers") or []
        return Quoted(
            message_id=text_at(mail, "commonHeaders", "messageId"),
            return_path=text_at(mail, "source"),
            headers=tuple((text_at(each, "name").lower(), text_at(each, "value")) for each in headers),
        )

    def status(self, event: AnymailTrackingEvent) -> str:
        """Of this recipient."""
        bounced = event.esp_event.get("bounce", {}).get("bouncedRecipients") or []
        found = (text_at(each, "status") for each in bounced if text_at(each, "emailAddress") == event.recipient)
        return enhanced(next(found, ""))

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """By type and subtype of the bounce."""
        kind = text_at(event.esp_event, "bounce", "bounceType")
        detail = text_at(event.esp_event, "bounce", "bounceSubType")
        return _OPINIONS.get((kind, detail)) or _OPINIONS.get((kind, "")) or super().opinion(event)
