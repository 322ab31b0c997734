"""Celery tasks: each calls a function that a shell or a test can call as well."""

import redis
from celery import shared_task
from django.conf import settings

from campaign.lib.clock import now
from tracking.afterwards import judge_together
from tracking.figures import again
from tracking.figures.events import count_events
from tracking.figures.log import count_logs
from tracking.flush import flush
from tracking.reports import digest


@shared_task
def write_hits() -> None:
    """Write what web processes have seen since the last time. Runs every second."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        flush(client)


@shared_task
def look_again() -> None:
    """Find machines by what they did within seconds. Runs every minute."""
    judge_together(now())


@shared_task
def count_figures() -> None:
    """Bring the figures along with both logs. Runs every few seconds."""
    count_events()
    count_logs(now())


@shared_task
def count_again(delivery_id: int) -> None:
    """Count one delivery's figures afresh."""
    again.count_again(delivery_id)


@shared_task
def send_digests() -> None:
    """Send the weekly digests that are due. Runs every hour."""
    digest.send_due(now())
