"""Consent to single services: given, withdrawn, and what a person may choose by themselves."""

from django.db import transaction

from campaign.lib.clock import now
from recipients import history
from recipients.history import Origin
from recipients.models import Consent, Recipient, Service, Subscription
from recipients.signals import consent_withdrawn


@transaction.atomic
def subscribe(recipient: Recipient, service: Service, origin: Origin) -> bool:
    """Let a person have a service; returns whether they did not have it yet."""
    subscription, created = Subscription.objects.select_for_update().get_or_create(
        recipient=recipient, service=service, defaults={"source": origin.source[:200]}
    )
    if not created and subscription.withdrawn_at is None:
        return False
    if not created:
        Subscription.objects.filter(pk=subscription.pk).update(
            withdrawn_at=None, given_at=now(), source=origin.source[:200]
        )
    history.write(recipient, Consent.GIVEN, origin, service=service)
    return True


@transaction.atomic
def unsubscribe(recipient: Recipient, service: Service, origin: Origin) -> bool:
    """End a person's subscription; returns whether it stood. What was about to leave for it does not."""
    subscription, created = Subscription.objects.select_for_update().get_or_create(
        recipient=recipient, service=service, defaults={"source": origin.source[:200], "withdrawn_at": now()}
    )
    if not created and subscription.withdrawn_at is not None:
        return False
    if not created:
        Subscription.objects.filter(pk=subscription.pk).update(withdrawn_at=now())
    history.write(recipient, Consent.WITHDRAWN, origin, service=service)
    consent_withdrawn.send(Recipient, recipient_id=recipient.pk, service_id=service.pk)
    return True


def standing(recipient: Recipient) -> set[int]:
    """Ids of the services that the person has."""
    return set(Subscription.objects.filter(recipient=recipient, withdrawn_at=None).values_list("service_id", flat=True))


def note_changes(recipient: Recipient, before: set[int], origin: Origin) -> None:
    """Write down what somebody changed in the rows themselves since ``before``, what was :func:`standing` then."""
    after = standing(recipient)
    changed = Service.objects.filter(pk__in=before ^ after).order_by("pk")
    for service in changed:
        state = Consent.GIVEN if service.pk in after else Consent.WITHDRAWN
        history.write(recipient, state, origin, service=service)
        if state is Consent.WITHDRAWN:
            consent_withdrawn.send(Recipient, recipient_id=recipient.pk, service_id=service.pk)
