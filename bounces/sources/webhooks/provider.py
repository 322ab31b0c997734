"""What a provider's webhook must tell us, and the registry: anymail's event and what only this provider says."""

import hashlib
import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.base import AnymailCoreWebhookView
from django.conf import settings

from bounces.parsing import Kind
from deliveries.sending.verdict import FailureType, Reason, Verdict

logger = logging.getLogger(__name__)

METADATA: Final = "message"
"""Under this name a provider gives back our message identifier, where a header of the message hands it over."""

_KINDS: Final[Mapping[str, Kind]] = {
    EventType.BOUNCED: Kind.BOUNCE,
    EventType.REJECTED: Kind.BOUNCE,
    EventType.FAILED: Kind.BOUNCE,
    EventType.DEFERRED: Kind.DELAYED,
    EventType.COMPLAINED: Kind.FEEDBACK,
    EventType.UNSUBSCRIBED: Kind.FEEDBACK,
}
_OPTED_OUT_BEFORE: Final = {RejectReason.SPAM, RejectReason.UNSUBSCRIBED}
_BY_REASON: Final[Mapping[str, Verdict]] = {
    RejectReason.INVALID: Verdict(FailureType.HARD, Reason.USER_UNKNOWN, "provider: invalid"),
    RejectReason.BLOCKED: Verdict(FailureType.SOFT, Reason.REFUSED, "provider: blocked"),
    RejectReason.TIMED_OUT: Verdict(FailureType.SOFT, Reason.UNREACHABLE, "provider: timed out"),
}
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")

UNKNOWN_USER: Final = Verdict(FailureType.HARD, Reason.USER_UNKNOWN, "provider: hard bounce")
SOFT: Final = Verdict(FailureType.SOFT, Reason.UNREACHABLE, "provider: soft bounce")
REFUSED: Final = Verdict(FailureType.SOFT, Reason.REFUSED, "provider: refused")
FULL: Final = Verdict(FailureType.SOFT, Reason.MAILBOX_FULL, "provider: mailbox full")
NOT_FAILED: Final = Verdict(FailureType.IGNORED, Reason.NOT_DEFINED, "provider: no failure")


@dataclass(frozen=True, slots=True)
class Quoted:
    """What an event repeats of our message; one of these leads to it."""

    message_id: str = ""
    return_path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Lower-case name and value."""


class Provider(ABC):
    """One provider. An instance holds nothing: it reads events."""

    name: ClassVar[str]
    """In the address: ``/hooks/<name>/``."""
    label: ClassVar[str]
    view: ClassVar[type[AnymailCoreWebhookView]]
    """Checks signature or credentials, and reads the request into events."""

    @staticmethod
    def is_configured() -> bool:
        """Whether requests can be told from forged ones; without that the address answers 404."""
        return bool(settings.ANYMAIL.get("WEBHOOK_SECRET"))

    @abstractmethod
    def quoted(self, event: AnymailTrackingEvent) -> Quoted:
        """What it repeats of our message."""

    def status(self, event: AnymailTrackingEvent) -> str:
        """The enhanced status code (RFC 3463) that stands beside the server's words; empty for none."""
        return ""

    def opinion(self, event: AnymailTrackingEvent) -> Verdict | None:
        """What the provider takes it for, where neither words nor codes say anything."""
        return _BY_REASON.get(event.reject_reason or "")


PROVIDERS: Final[dict[str, Provider]] = {}


def provider(made: type[Provider]) -> type[Provider]:
    """Class decorator: the provider has an address."""
    PROVIDERS[made.name] = made()
    return made


def kind_of(event: AnymailTrackingEvent) -> Kind | None:
    """What sort of bounce the event is; None for what nothing follows from, such as an open."""
    if event.event_type == EventType.REJECTED and event.reject_reason in _OPTED_OUT_BEFORE:
        return Kind.FEEDBACK
    return _KINDS.get(event.event_type)


def event_id(event: AnymailTrackingEvent) -> str:
    """A name that the same event has each time it is sent; an event about several recipients has one for each."""
    name = event.event_id or hashlib.sha256(json.dumps(event.esp_event, sort_keys=True).encode()).hexdigest()
    return f"{name}:{event.recipient}"


UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)
"""What code that reads an event raises when a provider sends something else than it says."""


Made = TypeVar("Made")


def each_readable(events: Iterable[Any], read: Callable[[Any], Made | None], label: str) -> Iterator[Made]:
    """What is read of each event of a batch, without those that cannot be read: they stop no other."""
    for event in events:
        try:
            made = read(event)
        except UNREADABLE as error:
            logger.warning("An event of %s cannot be read (%r): %.500s", label, error, event)
            continue
        if made is not None:
            yield made


def text_at(event: Any, *path: str) -> str:
    """A text deep inside what a provider sent; empty where there is none."""
    for key in path:
        if not isinstance(event, Mapping):
            return ""
        event = event.get(key)
    return event if isinstance(event, str) else ""


def enhanced(text: str) -> str:
    """The text if it is an enhanced status code, else an empty text."""
    return text if _STATUS.fullmatch(text) else ""
