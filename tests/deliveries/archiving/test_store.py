"""Copies as files: in a folder, and in a bucket of S3 by the storage that the operator's guide names."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from campaign.env import BASE_DIR
from campaign.lib.clock import now
from deliveries.archiving.copies import figures
from deliveries.archiving.run import MOST_FAULTS, make_copies
from deliveries.archiving.store import NotStored, file_name, store
from deliveries.models import Archive, ArchiveCopy, CopyState, Delivery
from deliveries.models.message import message_range
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState
from tests.deliveries import factories
from tests.s3_server import S3Server, s3_server
from tests.smtp_sink import SAMPLE, SinkThread

__all__ = ["s3_server"]

pytestmark = pytest.mark.django_db

S3 = "storages.backends.s3.S3Storage"


@pytest.fixture
def bucket(s3_server: S3Server, settings: LazySettings) -> S3Server:
    settings.STORAGES = {**settings.STORAGES, "archive": {"BACKEND": S3, "OPTIONS": s3_server.options()}}
    return s3_server


def archived(worker: Worker, smtp_sink: SinkThread, people: int) -> tuple[Delivery, Archive]:
    """A sent delivery whose archive stores files alone."""
    archive = Archive.objects.create(name="Bucket", stores_files=True)
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(people), archive_emails=True, archive=archive)
    return factories.send(worker, factories.confirmed(made)), archive


def make(archive: Archive) -> bool:
    ArchiveCopy.objects.update(next_attempt_at=now())
    return make_copies(archive, now() + timedelta(seconds=20))


def test_it_stores_the_octets_that_were_sent_in_the_bucket(
    worker: Worker, smtp_sink: SinkThread, bucket: S3Server
) -> None:
    made, archive = archived(worker, smtp_sink, 3)

    make(archive)

    assert sorted(bucket.objects) == [f"/mail/{made.pk}/00000000{number}.eml" for number in (1, 2, 3)]
    assert sorted(bucket.objects.values()) == sorted(message.data for message in smtp_sink.messages)
    assert figures(made).archived == 3


def test_it_keeps_the_copies_that_the_bucket_refuses_and_stores_them_later(
    worker: Worker, smtp_sink: SinkThread, bucket: S3Server
) -> None:
    made, archive = archived(worker, smtp_sink, 5)
    bucket.refuses = True

    assert not make(archive)

    assert made.current_state is DeliveryState.FINISHED
    assert figures(made).failed == 5
    assert "The store did not take the file." in figures(made).reply
    assert "403" in figures(made).reply
    assert len(bucket.requests) == MOST_FAULTS

    bucket.refuses = False
    make(archive)

    assert figures(made).archived == len(bucket.objects) == 5


def test_it_says_that_the_bucket_cannot_be_reached(
    settings: LazySettings, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    options = s3_server.options(endpoint_url="http://127.0.0.1:9")
    settings.STORAGES = {**settings.STORAGES, "archive": {"BACKEND": S3, "OPTIONS": options}}

    with pytest.raises(NotStored, match=r"The store did not take the file\. EndpointConnectionError"):
        store(SAMPLE)


def test_it_makes_a_file_again_that_was_cut_off_and_leaves_a_whole_one(bucket: S3Server) -> None:
    path = f"/mail/{file_name(SAMPLE.id)}"
    bucket.objects[path] = SAMPLE.data[:5]

    store(SAMPLE)
    assert bucket.objects[path] == SAMPLE.data
    bucket.requests.clear()
    store(SAMPLE)

    assert not any(request.startswith("PUT") for request in bucket.requests)


def test_it_goes_on_with_the_others_when_one_file_cannot_be_written(
    worker: Worker, smtp_sink: SinkThread, settings: LazySettings, tmp_path: Path
) -> None:
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "archive": folder}
    made, archive = archived(worker, smtp_sink, 3)
    first, _ = message_range(made.pk)
    (tmp_path / file_name(first + 1) / "in the way").mkdir(parents=True)

    make(archive)

    assert figures(made).archived == 2
    assert ArchiveCopy.objects.get(state=CopyState.FAILED).pk == first + 1


def test_the_operators_variables_build_the_storage(s3_server: S3Server) -> None:
    variables = {
        "DATABASE_URL": "postgresql://nobody@localhost/none",
        "REDIS_URL": "redis://localhost/0",
        "DJANGO_SETTINGS_MODULE": "campaign.settings",
        "ARCHIVE_STORAGE": S3,
        "ARCHIVE_STORAGE_OPTIONS": json.dumps(s3_server.options(location="copies")),
    }
    code = (
        "import django; django.setup()\n"
        "from django.core.files.base import ContentFile; from django.core.files.storage import storages\n"
        "print(storages['archive'].save('1/000000001.eml', ContentFile(b'mail')))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE_DIR,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.stdout == "1/000000001.eml\n", run.stderr
    assert s3_server.objects == {"/mail/copies/1/000000001.eml": b"mail"}
