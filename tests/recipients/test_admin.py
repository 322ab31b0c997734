"""The admin of recipients: lists that stay fast, forms that keep what was typed, the way of an import."""

import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from recipients import quarantine
from recipients.imports.job import run, unfinished
from recipients.imports.run import SQL
from recipients.models import (
    AttributeKind,
    Denylist,
    ImportState,
    Quarantine,
    QuarantineStatus,
    Recipient,
    RecipientImport,
    RecipientList,
)
from recipients.tasks import wake_imports
from tests.factories import attribute, recipient, recipient_list, recipients

pytestmark = pytest.mark.django_db

LIST = "/admin/recipients/recipient/"
INLINE = {f"{name}-{form}_FORMS": "0" for name in ("memberships", "subscriptions") for form in ("TOTAL", "INITIAL")}


@pytest.fixture
def marketer(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marketer", password="x"))
    return client


@pytest.mark.parametrize("count", [1, 120])
def test_it_lists_many_recipients_with_as_few_queries_as_one(marketer, count, django_assert_max_num_queries):
    recipients(count)

    with django_assert_max_num_queries(10):
        assert marketer.get(LIST).status_code == 200


def test_it_says_that_there_are_no_recipients_and_offers_the_import(marketer):
    page = marketer.get(LIST).content.decode()

    assert "Nobody is here yet" in page
    assert "/admin/recipients/recipientimport/add/" in page


@pytest.mark.parametrize("term", ["P7@EXAMPLE.org", "P7@", "name7", "FIRST7"])
def test_it_finds_people_by_address_or_name(marketer, term):
    recipients(9)

    page = marketer.get(LIST, {"q": term}).content.decode()

    assert "p7@example.org" in page
    assert "p3@example.org" not in page


def test_it_searches_by_index_only(marketer, django_assert_max_num_queries):
    recipients(5_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE recipients_recipient")

    with django_assert_max_num_queries(10) as queries:
        marketer.get(LIST, {"q": "name77"})

    searches = [query["sql"] for query in queries.captured_queries if "LIKE" in query["sql"]]
    assert searches
    with connection.cursor() as cursor:
        for search in searches:
            cursor.execute("EXPLAIN " + search.replace("%", "%%"), [])
            plan = "\n".join(line for (line,) in cursor.fetchall())
            for index in ("recipient_key_prefix", "recipient_last_name_prefix", "recipient_first_name_prefix"):
                assert index in plan, plan


def test_it_counts_the_people_on_each_list(marketer):
    full = recipient_list("Full")
    recipient(on=full)
    recipient_list("Nobody")

    page = marketer.get("/admin/recipients/recipientlist/").content.decode()

    assert re.findall(r"field-people[^>]*>\s*<a[^>]*>(\d+)<", page) == ["1", "0"]


def test_it_leads_from_a_list_to_the_people_on_it(marketer):
    recipient("inside@example.org", on=recipient_list("Full"))
    recipient("outside@example.org")
    address = re.search(
        r'href="(/admin/recipients/recipient/[?]list=\d+)"',
        marketer.get("/admin/recipients/recipientlist/").content.decode(),
    )

    assert address
    page = marketer.get(address[1]).content.decode()
    assert "inside@example.org" in page
    assert "outside@example.org" not in page


@pytest.mark.parametrize("chosen", ["²", "all", "9" * 5_000])
def test_what_is_no_list_leaves_nobody_out(marketer, chosen):
    recipient("ada@example.org", on=recipient_list("Full"))

    assert "ada@example.org" in marketer.get(LIST, {"list": chosen}).content.decode()


def test_it_asks_about_deleting_a_list_with_counts_not_names(marketer):
    full = recipient_list("Full")
    for number in range(3):
        recipient(f"member{number}@example.org", on=full)

    page = marketer.get(f"/admin/recipients/recipientlist/{full.pk}/delete/").content.decode()
    marketer.post(f"/admin/recipients/recipientlist/{full.pk}/delete/", {"post": "yes"})

    assert "The people on it stay." in page
    assert "member1" not in page
    assert not RecipientList.objects.exists()
    assert Recipient.objects.count() == 3


def test_two_lists_cannot_have_names_that_differ_by_case_only(marketer):
    recipient_list("My list")

    page = marketer.post("/admin/recipients/recipientlist/add/", {"name": "my LIST"}).content.decode()

    assert "A list of this name exists" in page


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Write an address, or at least a name."),
        ({"first_name": "Ada", "time_zone": "Europe/Zürich"}, "There is no such time zone."),
        ({"first_name": "Ada", "language": "klingon!"}, "This is no language code."),
    ],
)
def test_it_refuses_a_recipient_that_makes_no_sense(marketer, values, sentence):
    page = marketer.post(LIST + "add/", {"consent": "unknown", **values, **INLINE}).content.decode()

    assert sentence in page
    assert not Recipient.objects.exists()


def test_it_puts_the_sentence_beside_the_address_and_keeps_what_was_typed(marketer):
    response = marketer.post(
        LIST + "add/", {"address": "no address", "first_name": "Ada", "consent": "unknown", **INLINE}
    )

    page = response.content.decode()
    assert "has no @ sign" in page
    assert 'value="Ada"' in page
    assert not Recipient.objects.exists()


def test_it_refuses_an_address_that_somebody_has(marketer):
    recipients(1)

    response = marketer.post(LIST + "add/", {"address": "P0@example.org", "consent": "unknown", **INLINE})

    assert "Another recipient has this address already." in response.content.decode()


def test_it_keeps_custom_attributes_by_their_kind(marketer):
    attribute("points", AttributeKind.NUMBER)
    attribute("born", AttributeKind.DATE)

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
    assert record.status == QuarantineStatus.VALID


def test_it_keeps_a_second_failure_of_an_address_in_one_record():
    quarantine.add("a@example.org", reason="Mailbox full")
    quarantine.add("A@Example.org", reason="User unknown")

    assert Quarantine.objects.get().reason == "User unknown"


def test_it_shows_quarantine_denylist_lists_and_attributes(marketer):
    recipients(1)
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


def test_it_offers_each_kind_for_a_new_attribute_and_what_exists_with_its_own(marketer):
    attribute("points", AttributeKind.NUMBER)

    page = marketer.get(upload(marketer, b"mail,points,Born\na@example.org,1,2000-01-01\n").url).content.decode()

    assert "points (Number)" in page
    assert 'value="born:date"' in page
    assert 'value="points:date"' not in page


def waiting(client: Client, state: ImportState) -> RecipientImport:
    """An import whose columns are mapped."""
    upload(client, b"mail\na@example.org\n")
    job = RecipientImport.objects.get()
    RecipientImport.objects.update(state=state, mapping={"mail": "address"})
    return job


@pytest.mark.parametrize("state", [ImportState.QUEUED, ImportState.RUNNING])
def test_it_takes_up_an_import_whose_hint_or_worker_was_lost(marketer, state):
    job = waiting(marketer, state)

    assert unfinished() == [job.pk]
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.created) == (ImportState.DONE, 1)
    assert unfinished() == []


def test_it_leaves_an_import_to_the_worker_that_is_at_it(marketer):
    job = waiting(marketer, ImportState.RUNNING)
    other_worker = connection.copy()
    with other_worker.cursor() as cursor:
        cursor.execute(SQL["take_import"], [job.pk])

    run(job.pk)
    untouched = Recipient.objects.count()
    other_worker.close()

    assert untouched == 0


def test_its_scheduler_looks_for_lost_imports():
    loaded_as_beat_does = (
        "from campaign.celery import app; app.loader.init_worker(); app.finalize(); "
        "print([entry['task'] for entry in app.conf.beat_schedule.values()])"
    )

    answer = subprocess.run([sys.executable, "-c", loaded_as_beat_does], capture_output=True, text=True, check=True)

    assert wake_imports.name in answer.stdout


def test_it_lets_nobody_import_without_the_permission(client):
    client.force_login(User.objects.create_user("outsider", password="x", is_staff=True))

    assert client.get("/admin/recipients/recipientimport/add/").status_code == 403
