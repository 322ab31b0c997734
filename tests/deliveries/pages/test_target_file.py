"""The file of people that a delivery reaches."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.actions.delete import delete
from deliveries.actions.target_file import choose_file
from deliveries.models import Delivery, Message
from deliveries.retention import purge_values
from deliveries.states import DeliveryState
from recipients.imports.people_file import read_file
from recipients.models import PeopleFile, PeopleFileLine
from tests.deliveries.factories import analysed, confirmed, delivery, people

pytestmark = pytest.mark.django_db

CONTENT = "mail,amount\nperson1@example.org,12\nnew@example.org,5\n"


def url(made: Delivery, name: str = "file") -> str:
    return reverse(f"admin:deliveries_delivery_{name}", args=[made.pk])


def upload(client: Client, made: Delivery, content: str = CONTENT, name: str = "orders.csv") -> Any:
    return client.post(url(made), {"file": SimpleUploadedFile(name, content.encode())})


def chosen(made: Delivery) -> PeopleFile | None:
    return Delivery.objects.select_related("target_file").get(pk=made.pk).target_file


def read(made: Delivery) -> None:
    file = chosen(made)
    assert file is not None
    read_file(file.pk)
    made.refresh_from_db()


def test_an_upload_becomes_the_target_and_its_columns_are_written_in_the_content(at_marketer: Client) -> None:
    people(2)
    made = delivery(subject="You owe {{ file.amount }}")

    upload(at_marketer, made)
    waiting = at_marketer.get(url(made)).content.decode()
    read(made)
    page = at_marketer.get(url(made)).content.decode()
    analysed(made)

    assert "is being read by a worker" in waiting
    assert "file.amount" in page
    assert "orders.csv" in page
    messages = Message.objects.of_delivery(made.pk).order_by("recipient_id")
    assert [message.address for message in messages] == ["person1@example.org", "new@example.org"]
    assert [message.frozen.values[-1] for message in messages] == ["12", "5"]


def test_an_analysis_waits_for_the_file_to_be_read(at_marketer: Client) -> None:
    made = delivery(people(1))
    upload(at_marketer, made)

    analysed(Delivery.objects.get(pk=made.pk))

    made.refresh_from_db()
    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert made.journal.filter(sentence__contains="orders.csv is still being read").exists()


def test_an_analysis_says_why_the_file_cannot_be_used(at_marketer: Client) -> None:
    made = delivery(people(1))
    upload(at_marketer, made, "name,amount\nAda,5\n")
    read(made)

    analysed(made)

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert "cannot be used" in at_marketer.get(url(made)).content.decode()


def test_another_file_takes_the_place_of_the_first_and_an_analysis_no_longer_fits(at_marketer: Client) -> None:
    made = delivery(people(1))
    upload(at_marketer, made)
    read(made)
    analysed(made)

    upload(at_marketer, made, name="later.csv")

    made.refresh_from_db()
    assert made.current_state is DeliveryState.EDITING
    assert [file.file_name for file in PeopleFile.objects.all()] == ["later.csv"]


def test_the_target_can_do_without_the_file_again(at_marketer: Client) -> None:
    made = delivery(people(1))
    upload(at_marketer, made)
    read(made)

    at_marketer.post(url(made, "file_removal"))

    assert chosen(made) is None
    assert not PeopleFile.objects.exists()
    assert made.journal.filter(sentence="The target no longer takes the file orders.csv.").exists()


def test_a_file_that_is_no_csv_is_refused_beside_the_field(at_marketer: Client) -> None:
    made = delivery()

    page = upload(at_marketer, made, "mail\x00").content.decode()
    empty = upload(at_marketer, made, "").content.decode()

    assert "is not a CSV file" in page
    assert "This file is empty" in empty
    assert chosen(made) is None


@pytest.mark.parametrize("name", ["..\\..\\x.csv", "a/../../etc/passwd", "x" * 300 + ".csv", "<script>.csv"])
def test_a_hostile_file_name_stays_a_name(at_marketer: Client, name: str, media) -> None:
    made = delivery()

    upload(at_marketer, made, name=name)

    file = chosen(made)
    assert file is not None
    assert len(file.file_name) <= 200
    assert "/" not in file.file_name
    assert "\\" not in file.file_name
    assert all(path.is_relative_to(media) for path in media.rglob("*"))
    assert "<script>.csv" not in at_marketer.get(url(made)).content.decode()


def test_the_rejected_lines_can_be_downloaded(at_marketer: Client) -> None:
    made = delivery()
    upload(at_marketer, made, "mail,amount\nnonsense,=1+1\na@example.org,1\n")
    read(made)

    response = at_marketer.get(url(made, "file_rejects"))

    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "nonsense,'=1+1" in content
    assert at_marketer.get(url(delivery(), "file_rejects")).status_code == 404


def test_the_page_follows_the_worker_and_stops(at_marketer: Client) -> None:
    made = delivery()
    upload(at_marketer, made)

    moving = at_marketer.get(url(made, "file_state"))
    read(made)
    still = at_marketer.get(url(made, "file_state"))

    assert (moving.status_code, still.status_code) == (200, 286)


def test_nobody_changes_the_file_without_the_right(at_colleague: Client, at_outsider: Client) -> None:
    made = delivery()

    for client in (at_colleague, at_outsider):
        assert upload(client, made).status_code == 403
        assert client.post(url(made, "file_removal")).status_code == 403
    assert at_colleague.get(url(made)).status_code == 200
    assert at_outsider.get(url(made)).status_code == 403
    assert at_outsider.get(url(made, "file_rejects")).status_code == 403
    assert chosen(made) is None


def test_a_delivery_that_has_started_keeps_its_file() -> None:
    made = confirmed(delivery(people(1)))

    with pytest.raises(ActionRefused, match="its target cannot be changed"):
        choose_file(made, SimpleUploadedFile("orders.csv", CONTENT.encode()))
    assert not PeopleFile.objects.exists()


def test_a_file_goes_with_its_delivery(at_marketer: Client) -> None:
    made = delivery()
    upload(at_marketer, made)

    delete(Delivery.objects.get(pk=made.pk))

    assert not PeopleFile.objects.exists()


def test_its_lines_go_with_the_personal_values(at_marketer: Client) -> None:
    made = delivery()
    upload(at_marketer, made, CONTENT)
    read(made)
    confirmed(made)
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.FINISHED, resources_until=now())

    purge_values(now())

    assert not PeopleFileLine.objects.exists()
    assert PeopleFile.objects.get().lines == 2
