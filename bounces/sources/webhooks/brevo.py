"""Brevo: events without a name of their own, so their content names them."""

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.brevo import BrevoTrackingWebhookView

from bounces.sources.webhooks.provider import REFUSED, SOFT, UNKNOWN_USER, Provider, Quoted, provider, text_at
from deliveries.sending.verdict import Verdict

_OPINIONS = {"hard_bounce": UNKNOWN_USER, "invalid_email": UNKNOWN_USER, "soft_bounce": SOFT, "blocked": REFUSED}


@provider
class Brevo(Provider):
    """Events of transactional mail."""

    name = "brevo"
    label = "Brevo"
    view = BrevoTrackingWebhookView

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """The Message-ID, where Brevo kept ours."""
        return Quoted(message_id=text_at(event.esp_event, "message-id"))

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """By the name of the event."""
        return _OPINIONS.get(text_at(event.esp_event, "event")) or super().opinion(event)
