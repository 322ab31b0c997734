"""An uploaded import, carried out by a worker."""

import logging
import tempfile
from pathlib import Path

from django.core.files import File
from django.db import DatabaseError, connection

from recipients.imports.detect import ImportProblem
from recipients.imports.run import Existing, import_file
from recipients.models import ImportState, RecipientImport

logger = logging.getLogger(__name__)


def run(import_id: int) -> None:
    """Import an uploaded file that is waiting for a worker; called twice, the second call changes nothing."""
    mine = RecipientImport.objects.filter(pk=import_id, state=ImportState.QUEUED).update(state=ImportState.RUNNING)
    if not mine:
        return
    job = RecipientImport.objects.get(pk=import_id)
    try:
        _import(job)
    except ImportProblem as problem:
        _fail(job, str(problem))
    except (DatabaseError, OSError):
        logger.exception("Import %s broke", import_id)
        _fail(
            job, "The import broke; the operator finds the reason in the worker's log. Nothing was imported: try again."
        )


def _import(job: RecipientImport) -> None:
    progress = _Progress(job.pk)
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder) / "rejects.csv"
        try:
            counts = import_file(
                Path(job.file.path),
                mapping=job.mapping,
                existing=Existing(job.existing),
                list_name=job.list_name,
                rejects=rejects,
                progress=progress.tell,
            )
        finally:
            progress.close()
        job.created, job.known, job.rejected = counts.created, counts.existing, counts.rejected
        job.state = ImportState.DONE
        if counts.rejected:
            with rejects.open("rb") as file:
                job.rejects.save(f"rejected-{job.pk}.csv", File(file), save=False)
    job.save(update_fields=["created", "known", "rejected", "rejects", "state"])


def _fail(job: RecipientImport, sentence: str) -> None:
    RecipientImport.objects.filter(pk=job.pk).update(state=ImportState.FAILED, sentence=sentence)


class _Progress:
    """Tells how far the import is on a connection of its own: the import's transaction shows nothing until its end."""

    def __init__(self, import_id: int) -> None:
        self.import_id = import_id
        self.connection = connection.copy()

    def tell(self, octets: int) -> None:
        """Bytes read so far."""
        with self.connection.cursor() as cursor:
            cursor.execute("UPDATE recipients_recipientimport SET octets = %s WHERE id = %s", [octets, self.import_id])

    def close(self) -> None:
        """End the connection."""
        self.connection.close()
