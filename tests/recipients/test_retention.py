"""Imports and files of people go when they are old; people stay."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from campaign.lib.clock import now
from recipients.models import ImportState, PeopleFile, PeopleFileLine, Recipient, RecipientImport
from recipients.retention import purge_imports, purge_people_files
from tests.deliveries.factories import delivery
from tests.factories import recipient

pytestmark = pytest.mark.django_db

OLD = timedelta(days=200)


def an_import(state: ImportState = ImportState.DONE, age: timedelta = OLD) -> RecipientImport:
    made = RecipientImport(file_name="people.csv", state=state)
    made.file.save("people.csv", ContentFile(b"mail\n"))
    RecipientImport.objects.filter(pk=made.pk).update(created_at=now() - age)
    return made


def before():
    return now() - timedelta(days=180)


def test_it_deletes_old_imports_with_what_is_stored_of_them(django_capture_on_commit_callbacks):
    gone, young, waiting = an_import(), an_import(age=timedelta(0)), an_import(ImportState.QUEUED)

    with django_capture_on_commit_callbacks(execute=True):
        assert purge_imports(before(), 10) == 1

    assert [Path(made.file.path).exists() for made in (gone, young)] == [False, True]
    assert set(RecipientImport.objects.all()) == {young, waiting}
    assert purge_imports(before(), 10) == 0


def test_it_deletes_old_files_that_no_delivery_has_any_more():
    needed, orphan = (PeopleFile.objects.create(file_name=name, state=ImportState.DONE) for name in ("a", "b"))
    delivery(target_file=needed)
    PeopleFileLine.objects.create(file=orphan, recipient=recipient(), values={})
    PeopleFile.objects.update(created_at=now() - OLD)

    assert purge_people_files(before(), 10) == 1

    assert PeopleFile.objects.get() == needed
    assert not PeopleFileLine.objects.exists()
    assert Recipient.objects.count() == 1
