"""Set up the A/B test of a delivery, change it, and do without it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import edited
from deliveries.models import LETTERS, AbTest, Delivery, Variant
from deliveries.moves import Actor, write_act

SETTINGS = ("share", "measure", "wait", "by_itself", "confidence", "unsure")
OVERRIDES = ("subject", "sender_name", "html", "text")


@transaction.atomic
def save_test(
    delivery: Delivery, settings: Mapping[str, Any], others: Sequence[Mapping[str, str]], *, by: Actor = None
) -> AbTest:
    """The delivery's test, with variant A as the delivery is and the ``others`` as B, C and so on.

    Raises :class:`ActionRefused` when the delivery can no longer be changed, or its template locks what is tested.
    """
    delivery = _editable(delivery)
    if any(overrides.get(name) for overrides in others for name in locked_in(delivery)):
        raise ActionRefused(f"The template “{delivery.template}” locks what these variants change.")
    if not 1 <= len(others) < len(LETTERS):
        raise ActionRefused(f"A test has two to {len(LETTERS)} variants.")
    test, _ = AbTest.objects.update_or_create(delivery=delivery, defaults={name: settings[name] for name in SETTINGS})
    wanted = dict(zip(LETTERS, [{}, *others], strict=False))
    for letter, overrides in wanted.items():
        Variant.objects.update_or_create(
            test=test, letter=letter, defaults={name: overrides.get(name, "") for name in OVERRIDES}
        )
    test.variants.exclude(letter__in=wanted).delete()
    write_act(delivery, f"A/B test edited: {len(wanted)} variants.", by=by)
    edited(delivery, by=by)
    return test


@transaction.atomic
def remove_test(delivery: Delivery, *, by: Actor = None) -> None:
    """The delivery has one content again. Raises as :func:`save_test`."""
    delivery = _editable(delivery)
    if AbTest.objects.filter(delivery=delivery).delete()[0]:
        write_act(delivery, "A/B test removed.", by=by)
        edited(delivery, by=by)


def locked_in(delivery: Delivery) -> frozenset[str]:
    """What variants of this delivery cannot change, because its template locks it."""
    return frozenset(OVERRIDES).intersection(delivery.template.locked if delivery.template else ())


def copy_test(original: Delivery, made: Delivery) -> None:
    """A copy of a delivery tests the same way, from the beginning."""
    test = AbTest.objects.filter(delivery=original).first()
    if test is None:
        return
    copied = AbTest.objects.create(delivery=made, **{name: getattr(test, name) for name in SETTINGS})
    Variant.objects.bulk_create(
        Variant(test=copied, letter=variant.letter, **{name: getattr(variant, name) for name in OVERRIDES})
        for variant in test.variants.all()
    )


def _editable(delivery: Delivery) -> Delivery:
    present = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if not present.current_state.is_editable:
        raise ActionRefused(f"The delivery is “{present.current_state.label}”: its A/B test can no longer be changed.")
    if present.proof_of_id is not None:
        raise ActionRefused("This is a proof: it shows one variant.")
    return present
