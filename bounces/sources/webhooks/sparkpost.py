"""SparkPost: batches of events."""

import json
from typing import Any

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.http import HttpRequest

from bounces.sources.webhooks.provider import (
    FULL,
    NOT_FAILED,
    REFUSED,
    SOFT,
    UNKNOWN_USER,
    Provider,
    Quoted,
    each_readable,
    provider,
    text_at,
)
from deliveries.sending.verdict import Verdict

_OPINIONS = {
    "10": UNKNOWN_USER, "20": SOFT, "21": SOFT, "22": FULL, "23": REFUSED, "24": SOFT, "25": REFUSED,
    "30": UNKNOWN_USER, "40": SOFT, "50": REFUSED, "51": REFUSED, "52": REFUSED, "53": REFUSED, "54": REFUSED,
    "60": NOT_FAILED, "70": SOFT, "100": NOT_FAILED,
}  # fmt: skip
"""By SparkPost's bounce class."""


class BatchView(SparkPostTrackingWebhookView):  # type: ignore[misc]
    """anymail's, reading each event by itself."""

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        """Those that can be read."""
        return list(each_readable(json.loads(request.body), self._read, self.esp_name))

    def _read(self, raw: Any) -> AnymailTrackingEvent | None:
        """The event; None for SparkPost's ping."""
        name, event, raw = self.unwrap_event(raw)
        return None if event is None else self.esp_to_anymail_event(name, event, raw)


@provider
class SparkPost(Provider):
    """Message, generation and unsubscribe events."""

    name = "sparkpost"
    label = "SparkPost"
    view = BatchView

    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """The envelope sender, unless SparkPost was told to write its own."""
        return Quoted(return_path=text_at(_inner(event), "msg_from"))

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """By the bounce class."""
        return _OPINIONS.get(text_at(_inner(event), "bounce_class")) or super().opinion(event)


def _inner(event: AnymailTrackingEvent) -> object:
    """The event without its two wrappings."""
    return next(iter(event.esp_event.get("msys", {}).values()), {})
