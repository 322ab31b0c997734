"""What is kept of imports and files of people, and for how long. The people themselves stay until somebody deletes
them."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from campaign.lib import retention
from campaign.lib.retention import Purge
from recipients.imports.job import OPEN
from recipients.imports.people_file import forget
from recipients.imports.stored import forget_stored
from recipients.models import PeopleFile, RecipientImport

MOST_FILES = 100
"""Files that are deleted in one transaction."""


def register_purges() -> None:
    """Have old imports and files that no delivery needs deleted."""
    retention.register(Purge("imports", lambda: settings.KEEP_IMPORTS, purge_imports))
    retention.register(Purge("files of people", lambda: settings.KEEP_IMPORTS, purge_people_files))


@transaction.atomic
def purge_imports(before: datetime, most: int) -> int:
    """Delete imports that began before, with what is stored of them; not one that a worker has or has to take up."""
    old = RecipientImport.objects.filter(created_at__lt=before).exclude(state__in=OPEN).order_by("pk")
    jobs = list(old.select_for_update(skip_locked=True)[: min(most, MOST_FILES)])
    for job in jobs:
        forget_stored(job)
        job.delete()
    return len(jobs)


@transaction.atomic
def purge_people_files(before: datetime, most: int) -> int:
    """Delete files of people that no delivery has any more."""
    old = PeopleFile.objects.filter(created_at__lt=before, deliveries=None).order_by("pk")
    files = list(old.select_for_update(of=("self",), skip_locked=True)[: min(most, MOST_FILES)])
    for file in files:
        forget(file)
    return len(files)
