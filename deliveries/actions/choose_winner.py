"""Choose the winner of an A/B test: the rest of the delivery gets it."""

from django.db import transaction

from campaign.lib.clock import now
from deliveries.abtest.figures import figures_of
from deliveries.actions.base import ActionRefused
from deliveries.models import AbTest, Content, Delivery, Part, Variant
from deliveries.moves import Actor, write_act
from deliveries.queue import announce_work
from deliveries.states import DeliveryState, PartState

RUNNING = frozenset({DeliveryState.IN_PROGRESS, DeliveryState.PAUSED})


@transaction.atomic
def choose_winner(delivery: Delivery, letter: str, *, by: Actor = None, why: str = "") -> Variant:
    """Send the variant with this letter to everybody who waits; returns it. ``why`` is added to the journal's sentence.

    Raises :class:`ActionRefused` when the delivery does not run, has no such variant, or its winner was chosen before.
    """
    # The delivery's row first, as everything does that opens, cancels or ends: of two who choose, one finds a winner.
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    test = AbTest.objects.select_related("winner", "chosen_by").filter(delivery=delivery).first()
    if test is None:
        raise ActionRefused("This delivery has no A/B test.")
    if test.winner is not None:
        who = f" by {test.chosen_by}" if test.chosen_by else ""
        raise ActionRefused(f"The winner has been chosen already{who}: variant {test.winner.letter}.")
    if delivery.current_state not in RUNNING:
        raise ActionRefused(f"The delivery is “{delivery.current_state.label}”: no message waits for a winner.")
    variant = test.variants.select_related("content").filter(letter=letter).first()
    if variant is None or variant.content is None or test.rest_content_id is None:
        raise ActionRefused("This delivery has no such variant. Reload the page and choose again.")
    confidence = next(each.confidence for each in figures_of(test) if each.variant == variant)
    _open_rest(delivery, test, variant.content)
    AbTest.objects.filter(pk=test.pk).update(
        winner=variant,
        chosen_at=now(),
        chosen_by_id=by.pk if by is not None and by.is_authenticated else None,
        chosen_confidence=confidence,
        asked_at=None,
    )
    sure = f"It was the best with a probability of {confidence * 100:.1f} %."
    write_act(delivery, f"A/B test: variant {letter} goes to the rest. {sure} {why}".strip(), by=by)
    announce_work()
    return variant


def _open_rest(delivery: Delivery, test: AbTest, content: Content) -> None:
    """The rest names a content that begins to exist here; only then its parts can be taken."""
    Content.objects.create(
        pk=test.rest_content_id,
        delivery=delivery,
        compiled=content.compiled,
        dkim_keys=content.dkim_keys,
    )
    Part.objects.filter(delivery=delivery, state=PartState.WAITING).update(state=PartState.READY)
