"""People who asked not to be written to."""

from django.db import transaction

from recipients import history
from recipients.history import Origin
from recipients.models import Consent, ConsentSubject, Denylist, Recipient
from recipients.signals import consent_withdrawn


@transaction.atomic
def deny(recipient: Recipient, *, source: str, by: str = "", message_id: int | None = None) -> bool:
    """Put a person on the denylist; returns whether they were not on it yet. The first wish is the one that is kept.

    The history says so, and what was about to leave for this person does not.
    """
    _, created = Denylist.objects.get_or_create(recipient=recipient, defaults={"source": source[:200]})
    if created:
        origin = Origin(source, by, message_id)
        history.write(recipient, Consent.WITHDRAWN, origin, subject=ConsentSubject.ALL)
        consent_withdrawn.send(Recipient, recipient_id=recipient.pk, service_id=None)
    return created


@transaction.atomic
def allow(recipient: Recipient, *, source: str, by: str = "", message_id: int | None = None) -> bool:
    """Take a person off the denylist; returns whether they were on it."""
    deleted, _ = Denylist.objects.filter(recipient=recipient).delete()
    if deleted:
        origin = Origin(source, by, message_id)
        history.write(recipient, Consent.GIVEN, origin, subject=ConsentSubject.ALL)
    return bool(deleted)
