"""Export and erasure of everything that is held about one person (GDPR, articles 15, 17 and 20)."""

import json
import logging
import zipfile
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import DatabaseError, transaction

from campaign.lib import privacy, pseudonyms
from campaign.lib.clock import now
from campaign.lib.hints import hint_after_commit
from campaign.lib.privacy import Person
from deliveries.models import AuditLine, Erasure
from deliveries.moves import Actor
from recipients import addresses
from recipients.denylist import deny
from recipients.models import Recipient

logger = logging.getLogger(__name__)

SUBJECT = "Personal data"
"""What the audit trail names instead of a delivery."""


def person_at(address: str) -> Person:
    """Everything that is known under an address. Raises :class:`recipients.addresses.AddressError`."""
    key = addresses.key(address)
    recipient = Recipient.objects.filter(address_key=key).first()
    if recipient is not None:
        return person_of(recipient)
    return Person(addresses.normalise(address), key, None, pseudonyms.address(key))


def person_of(recipient: Recipient) -> Person:
    """Everything that is known of a recipient, who may have no address."""
    key = recipient.address_key or ""
    return Person(recipient.address or "", key, recipient.pk, pseudonyms.address(key or f"recipient {recipient.pk}"))


def export_file(person: Person, *, by: Actor = None) -> IO[bytes]:
    """A ZIP archive, at its beginning: ``data.json`` with everything, and the HTML of each message beside it.

    The caller closes it.
    """
    _audit(f"The data of {person.pseudonym} were exported.", by)
    with ExitStack() as unless_all_is_well:
        file = unless_all_is_well.enter_context(TemporaryFile())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.json", json.dumps(gathered(person), indent=2, ensure_ascii=False, default=_plain))
            for holding in privacy.holdings():
                for name, content in holding.files(person):
                    archive.writestr(name, content)
        file.seek(0)
        unless_all_is_well.pop_all()
    return file


def gathered(person: Person) -> dict[str, Any]:
    """Everything that any app holds about the person, by app."""
    held = {holding.name: dict(holding.export(person)) for holding in reversed(privacy.holdings())}
    return {"address": person.address, "exported_at": now(), **held}


@transaction.atomic
def ask_for_erasure(person: Person, *, by: Actor = None) -> Erasure:
    """Have everything about the person erased by a worker. Nothing leaves for them from this moment on."""
    user_id = by.pk if by is not None and by.is_authenticated else None
    erasure, created = Erasure.objects.get_or_create(
        pseudonym=person.pseudonym,
        done_at=None,
        defaults={
            "address": person.address,
            "recipient_id": person.recipient_id,
            "asked_at": now(),
            "asked_by_id": user_id,
        },
    )
    if created:
        _audit(f"The erasure of {person.pseudonym} was asked for.", by)
    if (recipient := Recipient.objects.filter(pk=person.recipient_id or 0).first()) is not None:
        deny(recipient, source="erasure of the data was asked for")
    hint_after_commit("deliveries.tasks.erase", erasure.pk)
    return erasure


def carry_out(erasure_id: int) -> Erasure | None:
    """Erase, all or nothing; ``None`` when somebody else is at it or it is done. Called again it goes on."""
    with transaction.atomic():
        waiting = Erasure.objects.select_for_update(skip_locked=True).filter(pk=erasure_id, done_at=None)
        erasure = waiting.first()
        if erasure is None:
            return None
        key = addresses.key(erasure.address) if erasure.address else ""
        person = Person(erasure.address, key, erasure.recipient_id, erasure.pseudonym)
        for holding in privacy.holdings():
            erasure.erased |= {words: count for words, count in holding.erase(person).items() if count}
        erasure.address, erasure.recipient_id, erasure.done_at = "", None, now()
        erasure.save()
        _audit(f"The data of {person.pseudonym} were erased.", erasure.asked_by)
    return erasure


def carry_out_waiting() -> None:
    """Erasures whose hint to a worker was lost, or which broke."""
    for erasure_id in Erasure.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
        try:
            carry_out(erasure_id)
        except (DatabaseError, OSError):
            logger.exception("Erasure %s broke; it is tried again within the hour", erasure_id)


def _audit(sentence: str, by: Actor) -> None:
    known = by if by is not None and by.is_authenticated else None
    AuditLine.objects.create(
        at=now(),
        delivery=None,
        delivery_label=SUBJECT,
        user_id=known.pk if known is not None else None,
        user_name=known.get_username() if known is not None else "",
        sentence=sentence,
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"A {type(value).__name__} cannot be exported.")
