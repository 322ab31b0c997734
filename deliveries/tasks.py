"""Celery tasks: each carries identifiers and calls a function that a shell or a test can call as well."""

import random
from datetime import timedelta

from celery import shared_task
from django.db import transaction

from campaign.lib import retention
from campaign.lib.clock import now
from deliveries import queue
from deliveries.actions import personal_data, subscribe
from deliveries.actions.decide_tests import decide_tests
from deliveries.actions.start_by_itself import start_by_itself
from deliveries.analysis.run import analyse
from deliveries.archiving.copies import archives_with_work
from deliveries.archiving.run import make_copies
from deliveries.models import Archive, Delivery
from deliveries.retention import purge_values
from deliveries.sending import parts, shutdown
from deliveries.sending.process import this_process
from deliveries.sending.schedule import cancel_stopped, end_validity, start_due
from deliveries.states import DeliveryState
from deliveries.wishes import hold_back_late

SLICE = timedelta(seconds=20)
"""How long one task sends at most before it makes room for others, and leaves the servers."""


@shared_task
def analyse_delivery(delivery_id: int) -> None:
    """Analyse one delivery, and start it where its approval mode says so, in one step; called twice, the second call
    changes nothing."""
    with transaction.atomic():
        state = analyse(delivery_id)
        if state is DeliveryState.READY:
            start_by_itself(Delivery.objects.get(pk=delivery_id))
    if state is DeliveryState.READY:
        hold_back_late(Delivery.objects.get(pk=delivery_id))


@shared_task
def cancel() -> None:
    """Cancel what is left of stopped deliveries. A hint that is lost costs seconds."""
    cancel_stopped()


@shared_task
def send_parts() -> None:
    """Send until nothing is open or the slice is over; then make room and come back. While the queue does not answer,
    nobody would get the room, and nothing would come back: the sending goes on."""
    more = True
    while more and not shutdown.asked():
        # Not all processes leave the servers at one moment: those that stay take the turns of those that come back.
        more = this_process().work(until=now() + SLICE * random.uniform(0.6, 1.0))
        _announce_copies()
        if more and queue.come_back_for_sending():
            return


@shared_task
def archive(archive_id: int) -> None:
    """Make copies for one archive until none is due or the slice is over; then make room and come back."""
    if make_copies(Archive.objects.get(pk=archive_id), until=now() + SLICE):
        queue.come_back_for_copies(archive_id)


@shared_task
def purge() -> None:
    """Delete what is too old, whatever app it belongs to. Runs every hour; goes on where it stopped."""
    purge_values(now())
    personal_data.carry_out_waiting()
    retention.run(now(), goes_on=lambda: not shutdown.asked())


@shared_task
def erase(erasure_id: int) -> None:
    """Erase one person's data. A hint that is lost costs an hour at most."""
    personal_data.carry_out(erasure_id)


@shared_task
def send_confirmation(request_id: int) -> None:
    """Send the mail that asks whether somebody really wants a service."""
    subscribe.send(request_id)


@shared_task
def wake() -> None:
    """Find what was left lying: analyses asked for, deliveries at their end, open parts. Runs every few seconds."""
    for delivery_id in Delivery.objects.filter(state=DeliveryState.ANALYSING).values_list("pk", flat=True):
        analyse_delivery.delay(delivery_id)
    start_due(now())
    end_validity(now())
    cancel_stopped()
    decide_tests(now())
    parts.finish_deliveries()
    _announce_copies()
    for request_id in subscribe.waiting():
        send_confirmation.delay(request_id)
    if parts.work_is_open(now()):
        queue.announce_work()


def _announce_copies() -> None:
    queue.announce_copies(due.pk for due in archives_with_work(now()))
