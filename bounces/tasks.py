"""Celery tasks: each carries identifiers and calls a function that a shell or a test can call as well."""

from datetime import timedelta

from celery import shared_task

from bounces.forwarding import send_due
from bounces.models import BounceMailbox
from bounces.sources.collect import collect, due
from bounces.upkeep import tidy
from campaign.lib.clock import now

SLICE = timedelta(seconds=60)
"""How long one task reads a mailbox before it makes room for others."""


@shared_task
def collect_mailbox(mailbox_id: int) -> None:
    """Read one mailbox until nothing is new or the slice is over; then make room and come back."""
    mailbox = BounceMailbox.objects.filter(pk=mailbox_id, is_active=True).first()
    if mailbox is not None and collect(mailbox, until=now() + SLICE):
        collect_mailbox.delay(mailbox_id)


@shared_task
def collect_due() -> None:
    """Have every mailbox read whose turn it is. Runs every few seconds."""
    for mailbox in due(now()):
        collect_mailbox.delay(mailbox.pk)


@shared_task
def forward_mails() -> None:
    """Forward what waits for a person to read it. Runs every minute."""
    send_due(now())


@shared_task
def tidy_bounces() -> None:
    """Forget what is over. Runs every hour."""
    tidy(now())
