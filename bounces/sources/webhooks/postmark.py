"""Postmark: it writes its own Message-ID and return path, so a header hands over our identifier."""

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.postmark import PostmarkTrackingWebhookView

from bounces.sources.webhooks.provider import (
    REFUSED,
    SOFT,
    UNKNOWN_USER,
    Provider,
    Quoted,
    provider,
    text_at,
)
from deliveries.sending.verdict import Verdict

_OPINIONS = {
    "HardBounce": UNKNOWN_USER,
    "BadEmailAddress": UNKNOWN_USER,
    "SoftBounce": SOFT,
    "DnsError": SOFT,
    "SpamNotification": REFUSED,
    "VirusNotification": REFUSED,
    "Blocked": REFUSED,
    "DMARCPolicy": REFUSED,
}


@provider
class Postmark(Provider):
    """Bounces, complaints and changes of subscription."""

    name = "postmark"
    label = "Postmark"
    view = PostmarkTrackingWebhookView

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """Nothing of ours but the metadata."""
        return Quoted()

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """By the type of the bounce."""
        return _OPINIONS.get(text_at(event.esp_event, "Type")) or super().opinion(event)
