"""SendGrid: each request is signed."""

import json

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest

from bounces.sources.webhooks.provider import (
    REFUSED,
    UNKNOWN_USER,
    Provider,
    Quoted,
    each_readable,
    enhanced,
    provider,
    text_at,
)
from deliveries.sending.verdict import Verdict


class BatchView(SendGridTrackingWebhookView):  # type: ignore[misc]
    """anymail's, reading each event by itself."""

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        """Those that can be read."""
        return list(each_readable(json.loads(request.body), self.esp_to_anymail_event, self.esp_name))


@provider
class SendGrid(Provider):
    """Events of the Event Webhook."""

    name = "sendgrid"
    label = "SendGrid"
    view = BatchView

    @staticmethod
    def is_configured() -> bool:
        """By its verification key."""
        return bool(settings.ANYMAIL.get("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY"))

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """The Message-ID as we wrote it."""
        return Quoted(message_id=text_at(event.esp_event, "smtp-id"))

    def status(self, event: AnymailTrackingEvent) -> str:
        """Of a bounce."""
        return enhanced(text_at(event.esp_event, "status"))

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """A bounce is for good, a block is not; a drop names an earlier bounce."""
        if event.event_type == EventType.REJECTED and event.reject_reason == RejectReason.BOUNCED:
            return UNKNOWN_USER
        if event.event_type == EventType.BOUNCED:
            return REFUSED if text_at(event.esp_event, "type") == "blocked" else UNKNOWN_USER
        return super().opinion(event)
