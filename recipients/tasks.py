"""Celery tasks of the recipients app."""

from celery import shared_task

from recipients.imports import job


@shared_task
def import_recipients(import_id: int) -> None:
    """Carry out one uploaded import."""
    job.run(import_id)
