"""Celery tasks: each calls a function that a shell or a test can call as well."""

from celery import shared_task

from campaign.lib.clock import now
from tracking.figures.events import count_events
from tracking.figures.log import count_logs


@shared_task
def count_figures() -> None:
    """Bring the figures along with both logs. Runs every few seconds."""
    count_events()
    count_logs(now())
