"""The messages of a delivery that are in doubt, to choose those that are sent again or closed."""

from functools import reduce
from operator import or_

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from campaign import ui
from deliveries.actions.in_doubt import in_doubt
from deliveries.models import Delivery
from deliveries.models.message import MessageQuerySet
from deliveries.pages.access import delivery_page
from deliveries.pages.acts import acts_of
from deliveries.pages.people import ids_by_address, typed_address
from deliveries.pages.progress import progress_of
from deliveries.pages.stretch import asked_id, filters_of, stretch
from deliveries.rights import rights_of

PAGE = 50
ACTS = ("resend_in_doubt", "close_in_doubt")


@delivery_page
def in_doubt_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """A page of them; whoever may decide ticks some and goes on to the question."""
    address = typed_address(request)
    after, before = asked_id(request, "after"), asked_id(request, "before")
    progress = progress_of([delivery])[delivery.pk]
    possible = acts_of(delivery, progress, rights_of(request.user, delivery), stale=False)
    acts = [act for act in possible if act.name in ACTS]
    return ui.page(
        request,
        "deliveries/in_doubt.html",
        title=f"In doubt: {delivery.label}",
        delivery=delivery,
        progress=progress,
        acts=acts,
        address=address,
        found=stretch(_found(delivery, address, after, before), after=after, before=before, most=PAGE),
        filters=filters_of(request),
    )


def _found(delivery: Delivery, address: str, after: int | None, before: int | None) -> MessageQuerySet:
    """Those to the target; seed addresses are in no figure."""
    messages = in_doubt(delivery).filter(seed=None)
    if not address:
        return messages.filter(_near(delivery, after, before))
    recipients = ids_by_address(address)
    # A message outlives the profile it was written for: then only its own address can be compared.
    return messages.filter(Q(recipient_id__in=recipients) if recipients else Q(address=address))


def _near(delivery: Delivery, after: int | None, before: int | None) -> Q:
    """Where a page of them is found: their parts count them, so that a log of millions is not read for a handful."""
    parts = delivery.parts.filter(in_doubt__gt=0)
    if before is not None:
        parts = parts.filter(first_id__lt=before).order_by("-first_id")
    else:
        parts = parts.filter(last_id__gt=after or 0).order_by("first_id")
    ranges = [Q(pk__range=bounds) for bounds in parts.values_list("first_id", "last_id")[: PAGE + 1]]
    return reduce(or_, ranges) if ranges else Q(pk__in=[])
