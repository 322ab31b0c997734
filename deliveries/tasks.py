"""Celery tasks: each carries identifiers and calls a function that a shell or a test can call as well."""

from datetime import timedelta

from celery import shared_task
from django.db import transaction

from campaign.lib.clock import now
from deliveries import queue
from deliveries.actions.start_by_itself import start_by_itself
from deliveries.analysis.run import analyse
from deliveries.archiving.copies import archives_with_work
from deliveries.archiving.run import make_copies
from deliveries.models import Archive, Delivery
from deliveries.retention import purge_values
from deliveries.sending import parts
from deliveries.sending.process import this_process
from deliveries.sending.schedule import end_validity, start_due
from deliveries.states import DeliveryState

SLICE = timedelta(seconds=20)
"""How long one task sends before it makes room for others."""


@shared_task
def analyse_delivery(delivery_id: int) -> None:
    """Analyse one delivery, and start it where its approval mode says so, in one step; called twice, the second call
    changes nothing."""
    with transaction.atomic():
        if analyse(delivery_id) is DeliveryState.READY:
            start_by_itself(Delivery.objects.get(pk=delivery_id))


@shared_task
def send_parts() -> None:
    """Send until nothing is open or the slice is over; then make room and come back."""
    more = this_process().work(until=now() + SLICE)
    _announce_copies()
    if more:
        send_parts.delay()


@shared_task
def archive(archive_id: int) -> None:
    """Make copies for one archive until none is due or the slice is over; then make room and come back."""
    if make_copies(Archive.objects.get(pk=archive_id), until=now() + SLICE):
        archive.delay(archive_id)


@shared_task
def purge() -> None:
    """Delete personal values whose time is over. Runs every hour."""
    purge_values(now())


@shared_task
def wake() -> None:
    """Find what was left lying: analyses asked for, deliveries at their end, open parts. Runs every few seconds."""
    for delivery_id in Delivery.objects.filter(state=DeliveryState.ANALYSING).values_list("pk", flat=True):
        analyse_delivery.delay(delivery_id)
    start_due(now())
    end_validity(now())
    parts.finish_deliveries()
    _announce_copies()
    if parts.work_is_open(now()):
        queue.announce_work()


def _announce_copies() -> None:
    for due in archives_with_work(now()):
        archive.delay(due.pk)
