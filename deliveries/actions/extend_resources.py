"""Keep the mirror pages of a delivery longer."""

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery
from deliveries.moves import Actor, write_act


@transaction.atomic
def extend_resources(delivery: Delivery, *, by: Actor = None) -> None:
    """Let the mirror pages stay for the delivery's validity limit of resources once more, from now.

    Raises :class:`ActionRefused` when there is nothing to keep: it has not started, or the personal values are deleted.
    """
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.resources_until is None:
        raise ActionRefused("The delivery has not started: set the validity limit of resources in its properties.")
    if locked.values_purged_at is not None:
        raise ActionRefused("The mirror pages have ended and the personal values are deleted; they cannot come back.")
    until = max(locked.resources_until, now() + locked.resources_validity)
    Delivery.objects.filter(pk=delivery.pk).update(resources_until=until)
    delivery.resources_until = until
    write_act(delivery, f"The mirror pages stay until {date_format(localtime(until), 'j M Y, H:i T')}.", by=by)
