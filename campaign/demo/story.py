"""What the demo does, in the order a marketer does it: import, create from a template, analyse, confirm, follow."""

import time
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db.models import Sum

from campaign.demo.processes import DemoProblem
from deliveries.actions.analyse import analyse
from deliveries.actions.confirm import confirm, warnings_of
from deliveries.actions.create import create
from deliveries.archiving.copies import figures
from deliveries.models import Archive, Delivery, DeliveryTemplate, Level, MirrorMode, Part, Route
from deliveries.states import DeliveryState
from recipients.models import ListMembership, RecipientList

LOGIN = "demo"
PASSWORD = "demo"  # noqa: S105 - printed on the screen; the demo listens on the loopback only
LIST = "Demo readers"
TEMPLATE = "Newsletter"
HEADERS = "X-Demo-Reader: {{ recipient.first_name }}\nList-Id: Demo <demo.example.com>"
STALL_SECONDS = 120


def ensure_login() -> None:
    """A superuser to look around with."""
    user, _ = get_user_model().objects.get_or_create(
        username=LOGIN, defaults={"is_staff": True, "is_superuser": True, "email": "demo@example.com"}
    )
    user.set_password(PASSWORD)
    user.save()


def ensure_route(port: int) -> Route:
    """The default route leads to the demo's SMTP sink."""
    Route.objects.exclude(name="Demo sink").update(is_default=False)
    route, _ = Route.objects.update_or_create(
        name="Demo sink", defaults={"host": "127.0.0.1", "port": port, "is_default": True}
    )
    return route


def ensure_archive(port: int) -> Archive:
    """An archive that is reached by a route of its own: the demo's second SMTP sink."""
    route, _ = Route.objects.update_or_create(name="Demo archive", defaults={"host": "127.0.0.1", "port": port})
    archive, _ = Archive.objects.update_or_create(
        name="Demo archive", defaults={"address": "copies@archive.example", "route": route}
    )
    return archive


def empty_list() -> None:
    """Nobody is on the list: an earlier run may have put more people there than this one is asked for."""
    ListMembership.objects.filter(list__name=LIST).delete()


def create_delivery(label: str) -> Delivery:
    """A delivery from the out-of-the-box newsletter to everybody that was imported."""
    delivery = create(DeliveryTemplate.objects.get(label=TEMPLATE), label=label)
    delivery.route = Route.objects.get(name="Demo sink")
    delivery.archive_emails, delivery.archive = True, Archive.objects.get(name="Demo archive")
    delivery.mirror_mode = MirrorMode.FORCE
    delivery.smtp_headers = HEADERS
    delivery.save()
    delivery.target_lists.set([RecipientList.objects.get(name=LIST)])
    return delivery


def analyse_and_wait(delivery: Delivery, still_alive: Callable[[], None]) -> None:
    """Analyse in a Celery worker. Raises :class:`DemoProblem` with the findings when it fails."""
    analyse(delivery)
    deadline = time.monotonic() + STALL_SECONDS
    while delivery.current_state is DeliveryState.ANALYSING:
        if time.monotonic() > deadline:
            raise DemoProblem(f"The analysis did not end within {STALL_SECONDS} seconds.")
        still_alive()
        time.sleep(0.1)
        delivery.refresh_from_db()
    if delivery.current_state is not DeliveryState.READY:
        errors = delivery.journal.filter(level=Level.ERROR).values_list("sentence", flat=True)
        raise DemoProblem("The analysis failed: " + " ".join(errors))


def confirm_and_follow(
    delivery: Delivery, still_alive: Callable[[], None], progress: Callable[[int], None]
) -> dict[str, int]:
    """Confirm and wait until the delivery is finished; returns counts of sent, failed and in doubt.

    Raises :class:`DemoProblem` when nothing has moved for two minutes.
    """
    confirm(delivery, acknowledged=[line.pk for line in warnings_of(delivery)])
    counts, moved_at = _counts(delivery), time.monotonic()
    while delivery.current_state is not DeliveryState.FINISHED:
        still_alive()
        time.sleep(0.1)
        now = _counts(delivery)
        if now != counts:
            counts, moved_at = now, time.monotonic()
            progress(sum(counts.values()))
        if time.monotonic() - moved_at > STALL_SECONDS:
            raise DemoProblem(
                f"Nothing was sent for {STALL_SECONDS} seconds: {delivery.state_note or 'no reason known'}"
            )
        delivery.refresh_from_db()
    return _counts(delivery)


def unpack_mail(path: Path) -> bytes:
    """A received mail without the trace lines that the sink puts in front."""
    data = path.read_bytes()
    while data.startswith((b"Return-Path:", b"Delivered-To:")):
        data = data.partition(b"\r\n")[2]
    return data


def wait_for_copies(delivery: Delivery, still_alive: Callable[[], None]) -> None:
    """Wait until the archive has everything. Raises :class:`DemoProblem` when it takes two minutes."""
    deadline = time.monotonic() + STALL_SECONDS
    while (copies := figures(delivery)).missing:
        if time.monotonic() > deadline:
            raise DemoProblem(f"{copies.missing} copies are missing in the archive. {copies.reply}")
        still_alive()
        time.sleep(0.1)


def _counts(delivery: Delivery) -> dict[str, int]:
    totals = Part.objects.filter(delivery=delivery).aggregate(Sum("sent"), Sum("failed"), Sum("in_doubt"))
    return {name.removesuffix("__sum"): value or 0 for name, value in totals.items()}
