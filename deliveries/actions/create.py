"""Create a delivery from a template, or a copy of either."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.actions.edit_test import copy_test
from deliveries.archiving.policy import apply_default
from deliveries.models import Delivery, DeliveryTemplate
from deliveries.moves import Actor, write_act

TARGET = ("target_lists", "target_queries", "excluded_lists", "excluded_queries", "seed_groups")
TARGET_VALUES = ("target_file", "limit_mode", "limit_size", "control_mode", "control_size")
"""What a copy's target takes over. Its sample and control group are drawn anew."""


@transaction.atomic
def create(
    template: DeliveryTemplate, *, label: str, values: Mapping[str, Any] | None = None, by: Actor = None
) -> Delivery:
    """A new delivery that starts as a copy of ``template``; later changes of the template do not touch it.

    ``values``: fields of the delivery that are to be another from the start. Raises :class:`ActionRefused` for one that
    the template locks, and for one that does not fit.
    """
    user_id = by.pk if by is not None and by.is_authenticated else None
    values = values or {}
    if locked := sorted(set(values) & set(template.locked)):
        raise ActionRefused(f"Locked by the template “{template}”: {', '.join(_words(name) for name in locked)}.")
    delivery = Delivery(**{**template.shared(), **values, "label": label}, template=template, created_by_id=user_id)
    apply_default(delivery)
    _check(delivery, {*values, "label"})
    delivery.save()
    delivery.take_attachments(template)
    write_act(delivery, f"Created from the template “{template.label}”.", by=by)
    return delivery


@transaction.atomic
def duplicate(delivery: Delivery, *, by: Actor = None) -> Delivery:
    """A new delivery with the same content, properties and target, and no run. Raises :class:`ActionRefused` for a
    proof."""
    if delivery.proof_of_id is not None:
        raise ActionRefused("This is a proof. Duplicate its delivery instead.")
    user_id = by.pk if by is not None and by.is_authenticated else None
    values = {**delivery.shared(), "label": f"Copy of {delivery.label}"[:200]}
    values |= {name: getattr(delivery, name) for name in TARGET_VALUES}
    copy = Delivery.objects.create(**values, template=delivery.template, created_by_id=user_id)
    copy.take_attachments(delivery)
    for name in TARGET:
        getattr(copy, name).set(getattr(delivery, name).all())
    copy_test(delivery, copy)
    write_act(copy, f"Copied from the delivery “{delivery.label}”.", by=by)
    return copy


def _check(delivery: Delivery, names: set[str]) -> None:
    try:
        delivery.clean_fields(exclude={field.name for field in Delivery._meta.fields} - names)
    except ValidationError as error:
        problems = (f"{_words(name)}: {' '.join(said)}" for name, said in error.message_dict.items())
        raise ActionRefused(" ".join(problems)) from error


def _words(name: str) -> str:
    return str(Delivery._meta.get_field(name).verbose_name).capitalize()  # type: ignore[union-attr]
