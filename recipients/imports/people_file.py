"""A file of people for one delivery: matched by address, created where nobody has it, its columns kept line by line.

What is known about people stays as it is: the file speaks in its own delivery only.
"""

import logging
import tempfile
from pathlib import Path

from django.core.files import File
from django.db import DatabaseError, connection, transaction

from campaign.lib.hints import hint_after_commit
from recipients.erased import Watch
from recipients.imports.detect import ImportProblem, detect
from recipients.imports.lines import open_text, read
from recipients.imports.mapping import checked, guess
from recipients.imports.run import SQL, RejectsFile, copy_lines
from recipients.imports.stored import forget_stored
from recipients.models import BUILT_IN_FIELDS, AttributeKind, ImportState, PeopleFile

logger = logging.getLogger(__name__)


def ask_for_reading(file: PeopleFile) -> None:
    """Have a worker read the file, once the transaction is over. A hint that is lost costs seconds."""
    hint_after_commit("recipients.tasks.read_people_file", file.pk)


def waiting() -> list[int]:
    """Files whose hint to a worker may have been lost."""
    return list(PeopleFile.objects.filter(state=ImportState.QUEUED).order_by("pk").values_list("pk", flat=True))


def read_file(file_id: int) -> None:
    """Read a file that waits for it; afterwards it is done or has failed with a sentence, and the upload is gone.

    While a worker is at it, a second call does nothing; what a dead worker had read was never committed.
    """
    with transaction.atomic():
        queued = PeopleFile.objects.select_for_update(skip_locked=True).filter(pk=file_id, state=ImportState.QUEUED)
        file = queued.first()
        if file is None:
            return
        try:
            with transaction.atomic():
                _read(file)
                file.state = ImportState.DONE
        except ImportProblem as problem:
            stored_name = Path(file.file.path).name
            file.state, file.sentence = ImportState.FAILED, str(problem).replace(stored_name, file.file_name)
        except (DatabaseError, OSError):
            logger.exception("Reading file %s of people broke", file_id)
            file.state = ImportState.FAILED
            file.sentence = "Reading broke; the operator finds the reason in the worker's log. Upload the file again."
        upload, file.file = file.file.name, ""
        file.save()
    if upload:
        file.file.storage.delete(upload)


def forget(file: PeopleFile) -> None:
    """Delete a file with its lines, and what is stored of it once the transaction is over."""
    forget_stored(file)
    file.delete()


def forget_lines(file: PeopleFile) -> None:
    """Delete what a file tells about people; its name and its figures stay."""
    forget_stored(file)
    file.people.all().delete()
    PeopleFile.objects.filter(pk=file.pk).update(file="", rejects="")


def _read(file: PeopleFile) -> None:
    """Raises :class:`recipients.imports.detect.ImportProblem`."""
    path = Path(file.file.path)
    form = detect(path)
    used = checked(guess(form.columns), form.columns)
    kinds = {name: AttributeKind.TEXT.value for name in used.values() if name not in BUILT_IN_FIELDS}
    with tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
        rejects = Path(folder) / "rejects.csv"
        cursor.execute(SQL["one_at_a_time"])
        cursor.execute(SQL["forget_staging"])
        cursor.execute(SQL["create_staging"])
        watch = Watch()
        with RejectsFile(rejects, form) as rejected, open_text(path, form) as text:
            copy_lines(read(text, form, used, kinds), rejected, watch)
        cursor.execute(SQL["insert_strangers"])
        file.created = cursor.rowcount
        watch.restore()
        absent = [name for name in BUILT_IN_FIELDS if name not in used.values()]
        cursor.execute(SQL["write_people_file"], {"file": file.pk, "absent": absent})
        file.lines = cursor.rowcount
        file.rejected = rejected.count
        file.columns = [[name, column] for column, name in used.items() if name != "address"]
        if rejected.count:
            with rejects.open("rb") as content:
                file.rejects.save(f"rejected-{file.pk}.csv", File(content), save=False)
