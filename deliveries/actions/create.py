"""Create a delivery from a template, or a copy of either."""

from django.db import transaction

from deliveries.archiving.policy import apply_default
from deliveries.models import Delivery, DeliveryTemplate
from deliveries.moves import Actor, write_act

TARGET = ("target_lists", "target_queries", "excluded_lists", "excluded_queries", "seed_groups")
TARGET_VALUES = ("target_file", "limit_mode", "limit_size", "control_mode", "control_size")
"""What a copy's target takes over. Its sample and control group are drawn anew."""


@transaction.atomic
def create(template: DeliveryTemplate, *, label: str, by: Actor = None) -> Delivery:
    """A new delivery that starts as a copy of ``template``; later changes of the template do not touch it."""
    user_id = by.pk if by is not None and by.is_authenticated else None
    delivery = Delivery(**{**template.shared(), "label": label}, template=template, created_by_id=user_id)
    apply_default(delivery)
    delivery.save()
    delivery.take_attachments(template)
    write_act(delivery, f"Created from the template “{template.label}”.", by=by)
    return delivery


@transaction.atomic
def duplicate(delivery: Delivery, *, by: Actor = None) -> Delivery:
    """A new delivery with the same content, properties and target, and no run."""
    user_id = by.pk if by is not None and by.is_authenticated else None
    values = {**delivery.shared(), "label": f"Copy of {delivery.label}"[:200]}
    values |= {name: getattr(delivery, name) for name in TARGET_VALUES}
    copy = Delivery.objects.create(**values, template=delivery.template, created_by_id=user_id)
    copy.take_attachments(delivery)
    for name in TARGET:
        getattr(copy, name).set(getattr(delivery, name).all())
    write_act(copy, f"Copied from the delivery “{delivery.label}”.", by=by)
    return copy
