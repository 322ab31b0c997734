"""How long mails that came back are kept, and which of them are about one person."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from bounces.models import BounceMail, UnqualifiedFailure, UnqualifiedText
from campaign.lib import privacy, retention
from campaign.lib.privacy import Holding, Person
from campaign.lib.retention import Purge
from deliveries.privacy import message_ids


def register() -> None:
    """Have old mails deleted, and let exports and erasures reach the others."""
    retention.register(Purge("mails that came back", lambda: settings.KEEP_RAW_BOUNCES, purge_mails))
    privacy.register(Holding("bounces", order=20, export=export, erase=erase, files=files))


def purge_mails(before: datetime, most: int) -> int:
    """Delete at most ``most`` mails that came in before; what they said stays with log and quarantine."""
    old = BounceMail.objects.filter(received_at__lt=before).order_by("received_at").values("pk")[:most]
    return BounceMail.objects.filter(pk__in=old).delete()[0]


def export(person: Person) -> Mapping[str, Any]:
    """What was read from the mails about the person."""
    mails = mails_about(person).order_by("pk")
    return {"returned_mails": list(mails.values("pk", "received_at", "kind", "sentence", "findings"))}


def files(person: Person) -> Iterator[tuple[str, bytes]]:
    """The mails as they came."""
    for number, raw in mails_about(person).exclude(raw=b"").order_by("pk").values_list("pk", "raw"):
        yield f"returned/{number}.eml", bytes(raw)


def erase(person: Person) -> Mapping[str, int]:
    """The mails go whole; what followed from them is in log and quarantine. Texts to qualify forget who had them."""
    UnqualifiedFailure.objects.filter(message_id__in=message_ids(person)).delete()
    if person.address:
        named = Q(sample__icontains=person.address) | Q(sample__icontains=person.key)
        UnqualifiedText.objects.filter(named).update(sample=F("text"))
    return {"returned mails": mails_about(person).delete()[0]}


def mails_about(person: Person) -> QuerySet[BounceMail]:
    """By the person's messages, or because what was read from them names the address; reads the table once."""
    about = Q(message_ids__overlap=message_ids(person))
    if person.address:
        for text in {person.address, person.key}:
            about |= Q(sentence__icontains=text) | Q(findings__icontains=text)
    return BounceMail.objects.filter(about)
