"""Celery tasks of the recipients app: each carries an identifier and calls a function."""

from typing import Any

from celery import current_app, shared_task

from recipients.imports import job, people_file

WAKE_SECONDS = 15.0


@shared_task
def import_recipients(import_id: int) -> None:
    """Carry out one uploaded import."""
    job.run(import_id)


@shared_task
def read_people_file(file_id: int) -> None:
    """Read one uploaded file of people."""
    people_file.read_file(file_id)


@shared_task
def wake_imports() -> None:
    """Find imports whose hint was lost or whose worker died; one that a worker is at is left to it."""
    for import_id in job.unfinished():
        import_recipients.delay(import_id)
    for file_id in people_file.waiting():
        read_people_file.delay(file_id)


@current_app.on_after_finalize.connect
def schedule(sender: Any, **kwargs: Any) -> None:
    """Let the scheduler look for such imports."""
    sender.add_periodic_task(WAKE_SECONDS, wake_imports.s(), name="wake imports", expires=WAKE_SECONDS)
