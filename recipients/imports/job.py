"""An uploaded import, carried out by a worker."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files import File
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from recipients.imports.detect import ImportProblem
from recipients.imports.run import SQL, import_file
from recipients.models import Existing, ImportState, RecipientImport

logger = logging.getLogger(__name__)


OPEN = (ImportState.QUEUED, ImportState.RUNNING)
"""States of an import that a worker has, or has to take up."""


def run(import_id: int) -> None:
    """Carry out an import that waits for a worker, or whose worker died.

    While one is at it, a second call does nothing. What a dead worker had read was never committed: beginning again
    is harmless.
    """
    with _taken(import_id) as held:
        if held and RecipientImport.objects.filter(pk=import_id, state__in=OPEN).update(state=ImportState.RUNNING):
            _carry_out(RecipientImport.objects.get(pk=import_id), held)


def unfinished() -> list[int]:
    """Imports whose hint to a worker may have been lost."""
    return list(RecipientImport.objects.filter(state__in=OPEN).order_by("pk").values_list("pk", flat=True))


@contextmanager
def _taken(import_id: int) -> Iterator[BaseDatabaseWrapper | None]:
    """A connection that holds the import for this worker, or None when another one has it.

    PostgreSQL lets go of the lock when the connection ends, so also when the worker is killed.
    """
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute(SQL["take_import"], [import_id])
            taken = cursor.fetchone()[0]
        yield own if taken else None
    finally:
        own.close()


def _carry_out(job: RecipientImport, own: BaseDatabaseWrapper) -> None:
    try:
        _import(job, own)
    except ImportProblem as problem:
        _fail(job, str(problem))
    except (DatabaseError, OSError):
        logger.exception("Import %s broke", job.pk)
        _fail(
            job, "The import broke; the operator finds the reason in the worker's log. Nothing was imported: try again."
        )


def _import(job: RecipientImport, own: BaseDatabaseWrapper) -> None:
    """Rows and result are committed together: an import that is not marked as done has changed nothing."""

    def tell(octets: int) -> None:
        """Tell how far it is beside the import's transaction, which shows nothing until its end."""
        with own.cursor() as cursor:
            cursor.execute(SQL["tell_octets"], [octets, job.pk])

    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        rejects = Path(folder) / "rejects.csv"
        counts = import_file(
            Path(job.file.path),
            mapping=job.mapping,
            existing=Existing(job.existing),
            list_name=job.list_name,
            rejects=rejects,
            progress=tell,
        )
        job.created, job.known, job.rejected = counts.created, counts.existing, counts.rejected
        job.state = ImportState.DONE
        if counts.rejected:
            with rejects.open("rb") as file:
                job.rejects.save(f"rejected-{job.pk}.csv", File(file), save=False)
        job.save(update_fields=["created", "known", "rejected", "rejects", "state"])


def _fail(job: RecipientImport, sentence: str) -> None:
    RecipientImport.objects.filter(pk=job.pk).update(state=ImportState.FAILED, sentence=sentence)
