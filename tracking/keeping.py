"""How long single events are kept, and what they say about one person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from campaign.lib import privacy, retention
from campaign.lib.privacy import Holding, Person
from campaign.lib.retention import Purge
from deliveries.privacy import message_ids
from tracking.identity import event_id
from tracking.models import Event, EventKind
from tracking.user_agents import forget_unused


def register() -> None:
    """Have old events deleted, and let exports and erasures reach the others."""
    retention.register(Purge("opens and clicks", lambda: settings.KEEP_EVENTS, purge_events))
    retention.register(Purge("user agents", lambda: settings.KEEP_EVENTS, forget_unused))
    privacy.register(Holding("tracking", order=10, export=export, erase=erase))


def purge_events(before: datetime, most: int) -> int:
    """Delete at most ``most`` events that were seen before. The key says when, so its index serves."""
    end = event_id(int(before.timestamp() * 1000), 0)
    old = Event.objects.filter(pk__lt=end).order_by("pk").values("pk")[:most]
    return Event.objects.filter(pk__in=old).delete()[0]


def export(person: Person) -> Mapping[str, Any]:
    """What was seen of the person's messages."""
    events = _of(person).select_related("user_agent").order_by("pk")
    return {
        "events": [
            {
                "at": event.at,
                "kind": EventKind(event.kind).label,
                "delivery_number": event.delivery_id,
                "link": event.link,
                "network": event.network,
                "user_agent": event.user_agent.text,
            }
            for event in events
        ]
    }


def erase(person: Person) -> Mapping[str, int]:
    """What remains says that something happened to a message whose address is a pseudonym, so that figures stay."""
    return {"networks of opens and clicks": _of(person).filter(network__isnull=False).update(network=None)}


def _of(person: Person) -> Any:
    return Event.objects.filter(message_id__in=message_ids(person))
