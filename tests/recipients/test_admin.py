"""The admin of recipients: lists that stay fast, forms that keep what was typed, the way of an import."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recipients import quarantine
from recipients.imports.job import run
from recipients.models import (
    AttributeDefinition,
    Denylist,
    ImportState,
    Quarantine,
    QuarantineStatus,
    Recipient,
    RecipientImport,
    RecipientList,
)

pytestmark = pytest.mark.django_db

LIST = "/admin/recipients/recipient/"
INLINE = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.fixture
def marketer(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marketer", password="x"))
    return client


def many(count: int) -> None:
    Recipient.objects.bulk_create(
        Recipient(address=f"p{n}@example.org", address_key=f"p{n}@example.org", last_name=f"Name{n}")
        for n in range(count)
    )


@pytest.mark.parametrize("count", [1, 120])
def test_it_lists_many_recipients_with_as_few_queries_as_one(marketer, count, django_assert_max_num_queries):
    many(count)

    with django_assert_max_num_queries(10):
        assert marketer.get(LIST).status_code == 200


def test_it_says_that_there_are_no_recipients_and_offers_the_import(marketer):
    page = marketer.get(LIST).content.decode()

    assert "/admin/recipients/recipientimport/add/" in page


@pytest.mark.parametrize("term", ["P7@EXAMPLE.org", "p7@", "name7"])
def test_it_finds_people_by_address_or_last_name(marketer, term):
    many(9)

    page = marketer.get(LIST, {"q": term}).content.decode()

    assert "p7@example.org" in page
    assert "p3@example.org" not in page


def test_it_puts_the_sentence_beside_the_address_and_keeps_what_was_typed(marketer):
    response = marketer.post(
        LIST + "add/", {"address": "no address", "first_name": "Ada", "consent": "unknown", **INLINE}
    )

    page = response.content.decode()
    assert "has no @ sign" in page
    assert 'value="Ada"' in page
    assert not Recipient.objects.exists()


def test_it_refuses_an_address_that_somebody_has(marketer):
    many(1)

    response = marketer.post(LIST + "add/", {"address": "P0@example.org", "consent": "unknown", **INLINE})

    assert "Another recipient has this address already." in response.content.decode()


def test_it_keeps_custom_attributes_by_their_kind(marketer):
    AttributeDefinition.objects.create(name="points", kind="number")
    AttributeDefinition.objects.create(name="born", kind="date")

    response = marketer.post(
        LIST + "add/",
        {
            "address": "a@example.org",
            "consent": "unknown",
            "attribute_points": "12",
            "attribute_born": "1990-05-01",
            **INLINE,
        },
    )

    assert response.status_code == 302, response.content.decode()
    assert Recipient.objects.get().attributes == {"points": 12, "born": "1990-05-01"}


def test_it_refuses_a_custom_attribute_with_the_name_of_a_built_in_field(marketer):
    response = marketer.post(
        "/admin/recipients/attributedefinition/add/", {"name": "address", "label": "", "kind": "text"}
    )

    assert "is a built-in field" in response.content.decode()


def test_it_quarantines_an_address_in_any_case_and_releases_it(marketer):
    marketer.post(
        "/admin/recipients/quarantine/add/",
        {"address_key": "Person@EXAMPLE.org", "status": "quarantine", "reason": "User unknown", "text": ""},
    )
    record = Quarantine.objects.get()
    assert record.address_key == "person@example.org"

    marketer.post("/admin/recipients/quarantine/", {"action": "release", "_selected_action": [record.pk]})

    record.refresh_from_db()
    assert record.status == QuarantineStatus.RELEASED


def test_it_keeps_a_second_failure_of_an_address_in_one_record():
    quarantine.add("a@example.org", reason="Mailbox full")
    quarantine.add("A@Example.org", reason="User unknown")

    assert Quarantine.objects.get().reason == "User unknown"


def test_it_shows_quarantine_denylist_lists_and_attributes(marketer):
    many(1)
    Denylist.objects.create(recipient=Recipient.objects.get(), source="phone")
    quarantine.add("a@example.org", reason="User unknown")
    RecipientList.objects.create(name="Readers")

    for name in ("quarantine", "denylist", "recipientlist", "attributedefinition", "recipientimport"):
        assert marketer.get(f"/admin/recipients/{name}/").status_code == 200, name


def upload(client: Client, content: bytes, **more: str):
    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    return client.post("/admin/recipients/recipientimport/add/", {"file": file, "existing": "update", **more})


def test_it_leads_from_the_upload_over_the_columns_to_the_result(marketer, django_capture_on_commit_callbacks):
    response = upload(marketer, b"mail;Vorname;Ort\na@example.org;Ada;Bern\nbad;B;C\n", list_name="Readers")
    job = RecipientImport.objects.get()
    assert response.url == f"/admin/recipients/recipientimport/{job.pk}/columns/"
    page = marketer.get(response.url).content.decode()
    assert "Ada" in page
    assert "Bern" in page

    marketer.post(response.url, {"column_0": "address", "column_1": "first_name", "column_2": "ort"})
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.created, job.rejected) == (ImportState.DONE, 1, 1)
    page = marketer.get(f"/admin/recipients/recipientimport/{job.pk}/change/").content.decode()
    assert "download them with their reasons" in page
    rejects = b"".join(marketer.get(f"/admin/recipients/recipientimport/{job.pk}/rejects/").streaming_content)
    assert b"no @ sign" in rejects
    assert RecipientList.objects.get().recipients.count() == 1


def test_it_keeps_nothing_of_a_file_that_is_no_csv(marketer):
    response = upload(marketer, b"PK\x03\x04\x00\x00")

    assert "people.csv is not a CSV file" in response.content.decode()
    assert not RecipientImport.objects.exists()


def test_it_asks_for_the_column_with_the_address(marketer):
    upload(marketer, b"a,b\nx@example.org,1\n")
    job = RecipientImport.objects.get()

    response = marketer.post(f"/admin/recipients/recipientimport/{job.pk}/columns/", {"column_0": "", "column_1": ""})

    assert "No column holds the e-mail address" in response.content.decode()


def test_it_says_why_nothing_was_imported(marketer):
    upload(marketer, b'mail,b\nx@example.org,"open\n')
    job = RecipientImport.objects.get()
    marketer.post(f"/admin/recipients/recipientimport/{job.pk}/columns/", {"column_0": "address", "column_1": ""})

    run(job.pk)
    run(job.pk)

    page = marketer.get(f"/admin/recipients/recipientimport/{job.pk}/change/").content.decode()
    assert "a quotation mark is opened and never closed" in page
    assert not Recipient.objects.exists()


def test_it_lets_nobody_import_without_the_permission(client):
    client.force_login(User.objects.create_user("outsider", password="x", is_staff=True))

    assert client.get("/admin/recipients/recipientimport/add/").status_code == 403
