"""The weekly digest: deliveries that ended in the last week with their indicators, by mail to those who want it."""

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from campaign import ui
from campaign.lib.alone import alone
from campaign.lib.clock import now
from deliveries.models import Delivery
from deliveries.rights import may_view_deliveries
from deliveries.sending.own_mail import OwnMail, send
from tracking.figures.indicators import Indicator, indicators, sums_of
from tracking.reports.models import WeeklyDigest

logger = logging.getLogger(__name__)

SENDER_NAME: Final = "Campaign"
MOST: Final = 100
"""Deliveries in one mail; further ones are counted."""
ATTEMPTS: Final = 5
"""One an hour; then the week's digest is given up."""
IN_MAIL: Final = ("processed", "success", "errors", "distinct_opens", "clicked", "opt_outs", "complaints")


def monday(at: datetime) -> datetime:
    """The beginning of the week of ``at``, by the installation's clocks."""
    local = timezone.localtime(at)
    day = local.date() - timedelta(days=local.weekday())
    return timezone.make_aware(datetime.combine(day, time.min))


def send_due(at: datetime) -> int:
    """Send every digest that is due; returns how many a server took.

    However many run at once, each is sent once a week. One whose process dies is sent an hour later; when it died
    between the server's answer and writing that down, the person gets it twice.
    """
    week = monday(at)
    due = WeeklyDigest.objects.filter(_is_due(week)).order_by("pk").values_list("pk", flat=True)
    return sum(_send_alone(pk, week, at) for pk in due)


def _is_due(week: datetime) -> Q:
    return Q(sent_for=None) | Q(sent_for__lt=week.date())


def _send_alone(pk: int, week: datetime, at: datetime) -> bool:
    """Send this one unless another process does, or did since it was found."""
    with alone("weekly digest", pk) as is_alone:
        own = WeeklyDigest.objects.filter(_is_due(week), pk=pk)
        digest = own.select_related("user").first() if is_alone else None
        return digest is not None and _send(digest, week, at)


def _send(digest: WeeklyDigest, week: datetime, at: datetime) -> bool:
    deliveries = list(ended(week)) if _may_have_it(digest.user) else []
    sentence = send(digest.pk, mail_to(digest.user, deliveries, week), at) if deliveries else ""
    digest.sentence = sentence
    digest.attempts += 1
    if not sentence or digest.attempts >= ATTEMPTS:
        digest.sent_for, digest.attempts = week.date(), 0
    digest.save(update_fields=["sent_for", "attempts", "sentence"])
    if sentence:
        logger.warning("The weekly digest for %s was not sent: %s", digest.user, sentence)
    return bool(deliveries) and not sentence


def _may_have_it(user: User) -> bool:
    return user.is_active and bool(user.email) and may_view_deliveries(user)


def ended(week: datetime) -> QuerySet[Delivery]:
    """Deliveries that ended in the seven days before ``week``, without proofs."""
    before = timezone.make_aware(datetime.combine(timezone.localtime(week).date() - timedelta(days=7), time.min))
    return Delivery.objects.main().filter(finished_at__gte=before, finished_at__lt=week).order_by("finished_at", "pk")


def mail_to(user: User, deliveries: Sequence[Delivery], week: datetime) -> OwnMail:
    """What the person gets."""
    shown = deliveries[:MOST]
    sums = sums_of(shown)
    parts = [_part(delivery, indicators(sums[delivery.pk])) for delivery in shown]
    if len(deliveries) > MOST:
        parts.append(f"{len(deliveries) - MOST} more deliveries ended in this week.\n")
    end = f"You get this mail because you asked for it. Change that here:\n{_address('digest')}\n"
    day = date_format(timezone.localtime(week), "j F Y")
    return OwnMail(
        sender_name=SENDER_NAME,
        sender_address=settings.ERROR_ADDRESS,
        recipient=user.email,
        subject=f"Deliveries of the week before {day}: {len(deliveries)}",
        text="\n".join([*parts, end]),
        language="en",
    )


def _part(delivery: Delivery, found: Sequence[Indicator]) -> str:
    by_name = {one.name: one for one in found}
    lines = [" ".join(delivery.label.split()) or "(no label)"]
    lines += [f"  To deliver: {delivery.to_deliver or 0:,}"]
    lines += [_line(by_name[name]) for name in IN_MAIL]
    return "\n".join([*lines, f"  {_address('report', delivery.pk)}", ""])


def _line(one: Indicator) -> str:
    share = "–" if one.share is None else f"{100 * one.share:.2f} %"
    return f"  {one.label}: {one.value:,} ({share} of {one.of or 0:,} {one.of_label})"


def _address(name: str, *rest: int) -> str:
    return f"{settings.PUBLIC_URL}{reverse(f'admin:deliveries_delivery_{name}', args=rest)}"


def digest_page(request: HttpRequest) -> HttpResponse:
    """A person's own setting: with or without."""
    if not may_view_deliveries(request.user) or not isinstance(request.user, User):
        raise PermissionDenied
    own = WeeklyDigest.objects.filter(user=request.user)
    if request.method == "POST":
        if request.POST.get("wanted") == "1":
            # Whoever asks today gets the first one on the next Monday.
            WeeklyDigest.objects.get_or_create(user=request.user, defaults={"sent_for": monday(now()).date()})
        else:
            own.delete()
        return redirect("admin:deliveries_delivery_digest")
    return ui.page(request, "tracking/digest.html", title="Weekly digest", digest=own.first())
