"""Mailgun: each request is signed."""

from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from django.conf import settings

from bounces.sources.webhooks.provider import UNKNOWN_USER, Provider, Quoted, enhanced, provider, text_at
from deliveries.sending.verdict import Verdict


@provider
class Mailgun(Provider):
    """Events in Mailgun's present form."""

    name = "mailgun"
    label = "Mailgun"
    view = MailgunTrackingWebhookView

    @staticmethod
    def is_configured() -> bool:
        """By its signing key."""
        return bool(settings.ANYMAIL.get("MAILGUN_WEBHOOK_SIGNING_KEY"))

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """Envelope sender and Message-ID, both as we wrote them."""
        data = event.esp_event.get("event-data", {})
        return Quoted(message_id=event.message_id or "", return_path=text_at(data, "envelope", "sender"))

    def status(self, event: AnymailTrackingEvent) -> str:
        """Beside the server's words."""
        return enhanced(text_at(event.esp_event, "event-data", "delivery-status", "enhanced-code"))

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """An address that Mailgun does not write to any more, or that failed for good."""
        data = event.esp_event.get("event-data", {})
        if text_at(data, "reason") == "suppress-bounce":
            return UNKNOWN_USER
        lasting = event.event_type == EventType.BOUNCED and text_at(data, "severity") == "permanent"
        return UNKNOWN_USER if lasting and text_at(data, "reason") == "bounce" else super().opinion(event)
