"""What the recipients app holds about one person: profile, lists, consents and their history, lines, quarantine."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.admin.models import LogEntry
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from campaign.lib import privacy
from campaign.lib.privacy import Holding, Person
from recipients import erased
from recipients.models import (
    ConsentEvent,
    Denylist,
    ImportState,
    PeopleFile,
    PeopleFileLine,
    Quarantine,
    Recipient,
    RecipientImport,
    Subscription,
    SubscriptionRequest,
    Upload,
)

PROFILE = (
    "address", "first_name", "last_name", "language", "time_zone", "mail_format", "attributes",
    "consent", "consent_at", "consent_source", "created_at", "updated_at",
)  # fmt: skip

CHUNK = 1 << 20
"""Octets of a stored file that are looked through at a time."""

ERASED = "erasure of the person's data"


def register_holding() -> None:
    """Let exports and erasures reach what is here; the profile goes last."""
    privacy.register(Holding("recipients", order=90, export=export, erase=erase))


def export(person: Person) -> Mapping[str, Any]:
    """Everything that is kept here about the person."""
    recipient = _recipient(person)
    held: dict[str, Any] = {
        "quarantine": list(
            Quarantine.objects.filter(address_key=person.key).values("status", "reason", "text", "created_at")
        ),
        "requests_for_subscriptions": list(
            SubscriptionRequest.objects.filter(address_key=person.key).values(
                "service__name", "asked_at", "sent_at", "confirmed_at"
            )
        ),
    }
    if recipient is None:
        return held
    return {
        "profile": {name: getattr(recipient, name) for name in PROFILE},
        "lists": list(recipient.memberships.order_by("list__name").values("list__name", "added_at")),
        "subscriptions": list(
            recipient.subscriptions.order_by("service__name").values(
                "service__name", "source", "given_at", "withdrawn_at"
            )
        ),
        "denylist": list(Denylist.objects.filter(recipient=recipient).values("source", "created_at")),
        "consent_history": history_rows(recipient),
        "lines_of_files": list(
            PeopleFileLine.objects.filter(recipient=recipient).order_by("pk").values("file__file_name", "values")
        ),
        **held,
    }


def history_rows(recipient: Recipient) -> list[dict[str, Any]]:
    """The consent history, the first line first."""
    events = ConsentEvent.objects.filter(recipient=recipient).order_by("pk")
    return [dict(event) for event in events.values("at", "subject", "service_name", "state", "source", "by")]


def erase(person: Person) -> Mapping[str, int]:
    """Erase the person; that they are not written to again is kept as a keyed hash."""
    recipient = _recipient(person)
    counts: dict[str, int] = _erase_by_address(person) if person.address else {}
    if recipient is None:
        return counts
    counts |= {
        "lines of files": PeopleFileLine.objects.filter(recipient=recipient).delete()[0],
        "lines of the consent history": ConsentEvent.objects.filter(recipient=recipient).delete()[0],
        "subscriptions": Subscription.objects.filter(recipient=recipient).delete()[0],
    }
    recipient.delete()
    return {**counts, "profiles": 1}


def _erase_by_address(person: Person) -> dict[str, int]:
    erased.remember(person.key, source=ERASED)
    return {
        "addresses in quarantine": Quarantine.objects.filter(address_key=person.key).delete()[0],
        "requests for subscriptions": SubscriptionRequest.objects.filter(address_key=person.key).delete()[0],
        "lines of the administration’s own log": _erase_from_admin_log(person),
        "uploaded files that named the person": _erase_stored_files(person),
    }


def _recipient(person: Person) -> Recipient | None:
    return Recipient.objects.filter(pk=person.recipient_id).first() if person.recipient_id is not None else None


def _erase_from_admin_log(person: Person) -> int:
    lines = LogEntry.objects.filter(Q(object_repr__icontains=person.address) | Q(object_repr__icontains=person.key))
    return lines.update(object_repr=person.pseudonym, change_message="")


def _erase_stored_files(person: Person) -> int:
    """Uploads and rejected lines that name the address are deleted whole: what they brought is in the rows already."""
    return sum(_forget_if_named(row, file, person) for row, file in _stored())


def _stored() -> Iterator[tuple[Upload, FieldFile]]:
    """Not those that a worker has or has to take up: they come in as people who are on the denylist."""
    under_way = (ImportState.QUEUED, ImportState.RUNNING)
    for kind in (RecipientImport, PeopleFile):
        for row in kind._default_manager.exclude(state__in=under_way).order_by("pk"):
            for file in (row.file, row.rejects):
                if file.name:
                    yield row, file


def _forget_if_named(row: Upload, file: FieldFile, person: Person) -> bool:
    if not names(file.storage, file.name or "", {person.address, person.key}):
        return False
    name, storage = file.name or "", file.storage
    type(row)._default_manager.filter(pk=row.pk).update(**{file.field.name: ""})
    transaction.on_commit(lambda: storage.delete(name), robust=True)
    return True


def names(storage: Storage, name: str, texts: Iterable[str]) -> bool:
    """Whether the stored file has one of these texts in it, in any case, in UTF-8, Latin 1 or UTF-16."""
    wanted = {text.lower().encode(encoding, "ignore") for text in texts for encoding in _ENCODINGS}
    wanted.discard(b"")
    longest = max(map(len, wanted))
    before = b""
    try:
        with storage.open(name) as file:
            while chunk := file.read(CHUNK):
                window = before + chunk.lower()
                if any(text in window for text in wanted):
                    return True
                before = window[-longest:]
    except FileNotFoundError:
        return False
    return False


_ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
