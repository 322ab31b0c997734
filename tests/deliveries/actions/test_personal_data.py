"""Everything that is held about one person: exported, and erased without a trace of the address."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaign.lib import privacy
from campaign.lib.clock import now
from campaign.lib.privacy import Holding, Person
from deliveries.actions.personal_data import ask_for_erasure, carry_out, carry_out_waiting, export_file, person_at
from deliveries.models import AuditLine, Delivery, Erasure, Exclusion, JournalLine, Message, MessageValues, Part
from deliveries.moves import write_act, write_journal
from deliveries.states import MessageState
from deliveries.wishes import UNWANTED
from recipients import quarantine
from recipients.denylist import deny
from recipients.history import Origin
from recipients.imports.run import import_file
from recipients.models import (
    AttributeDefinition,
    Denylist,
    ErasedWish,
    ImportState,
    PeopleFile,
    PeopleFileLine,
    Recipient,
    RecipientImport,
    Service,
)
from recipients.subscriptions import subscribe
from tests.deliveries.factories import confirmed, delivery, people
from tests.people import at_colleague, colleague, logged_in, person

__all__ = ["at_colleague", "colleague"]

pytestmark = pytest.mark.django_db

ADDRESS = "Person1@example.org"
KEY = "person1@example.org"


@pytest.fixture
def life(admin_client: Client) -> Delivery:
    """A person who left traces everywhere, beside another."""
    AttributeDefinition.objects.create(name="city")
    readers = people(2)
    somebody = Recipient.objects.get(address_key=KEY)
    somebody.address, somebody.attributes, somebody.last_name = ADDRESS, {"city": "Bern"}, "Lovelace"
    somebody.save()
    subscribe(somebody, Service.objects.create(name="Weekly"), Origin("fair"))
    made = confirmed(delivery(readers, subject="Hello from {{ recipient.city }}"))
    Message.objects.filter(recipient=somebody).update(reply=f"550 5.1.1 <{ADDRESS}> user unknown")
    write_act(made, f"Sent to {ADDRESS} and person2@example.org.")
    write_journal(made.pk, f"Seen: {KEY}.")
    Exclusion.objects.create(delivery=made, recipient_id=somebody.pk, address=ADDRESS, reason="denylisted")
    quarantine.add(ADDRESS, reason="User unknown", text="no such user")
    file = PeopleFile.objects.create(file_name="amounts.csv", state=ImportState.DONE)
    PeopleFileLine.objects.create(file=file, recipient=somebody, values={"amount": "12", "note": "Lovelace"})
    job = RecipientImport(file_name="people.csv", state=ImportState.DONE)
    job.file.save("people.csv", ContentFile(f"mail;name\n{ADDRESS.upper()};Lovelace\n".encode()))
    admin_client.post(f"/admin/recipients/recipient/{somebody.pk}/delete/", {})  # asks only
    return made


def everything() -> str:
    """Every row of every table of ours, as text, but for what the database itself keeps."""
    with connection.cursor() as cursor:
        tables = [
            name
            for name in connection.introspection.table_names(cursor)
            if name.startswith(("recipients_", "deliveries_", "bounces_", "tracking_", "django_admin_log"))
        ]
        rows = []
        for table in tables:
            cursor.execute(f"SELECT row_to_json(each)::text FROM {table} each")
            rows += [f"{table}: {row[0]}" for row in cursor.fetchall()]
    return "\n".join(rows)


def test_it_exports_everything_with_the_pages_of_the_messages(life: Delivery):
    Part.objects.update(dated_at=now())
    with export_file(person_at("PERSON1@example.org")) as file, zipfile.ZipFile(file) as archive:
        data = json.loads(archive.read("data.json"))
        [page] = [name for name in archive.namelist() if name.endswith(".html")]
        html = archive.read(page).decode()

    own = data["recipients"]
    assert data["address"] == ADDRESS
    assert own["profile"]["attributes"] == {"city": "Bern"}
    assert own["lists"][0]["list__name"] == "Readers"
    assert own["subscriptions"][0]["service__name"] == "Weekly"
    assert own["consent_history"][0]["source"] == "fair"
    assert own["lines_of_files"][0]["values"]["amount"] == "12"
    assert own["quarantine"][0]["text"] == "no such user"
    [message] = data["deliveries"]["messages"]
    assert (message["delivery"], message["values"]["recipient.city"]) == ("Spring news", "Bern")
    assert data["deliveries"]["left_out_of_deliveries"] == [{"delivery": "Spring news", "reason": "denylisted"}]
    assert "Hello" in html
    assert "person2" not in json.dumps(data)
    assert KEY not in AuditLine.objects.latest("pk").sentence


def test_it_erases_every_trace_and_touches_nobody_else(life: Delivery, django_capture_on_commit_callbacks):
    pseudonym = person_at(ADDRESS).pseudonym
    assert KEY in everything().lower()

    with django_capture_on_commit_callbacks(execute=True):
        erasure = carry_out(ask_for_erasure(person_at(ADDRESS)).pk)

    assert erasure is not None
    left = everything()
    assert KEY not in left.lower()
    assert "lovelace" not in left.lower()
    assert "Bern" not in left
    assert pseudonym.endswith("@erased.invalid")
    own = Message.objects.get(address=pseudonym)
    assert (own.recipient_id, own.state, own.reply) == (None, MessageState.CANCELLED, UNWANTED)
    assert not MessageValues.objects.filter(pk=own.pk).exists()
    assert JournalLine.objects.filter(sentence=f"Seen: {pseudonym}.").exists()
    job = RecipientImport.objects.get()
    assert job.file.name == ""
    other = Message.objects.get(address="person2@example.org")
    assert other.state == MessageState.PENDING
    assert MessageValues.objects.filter(pk=other.pk).exists()
    assert Recipient.objects.get().address == "person2@example.org"
    assert erasure.erased["messages of the log"] == 1
    assert erasure.address == ""


def test_it_writes_to_nobody_who_was_erased_when_a_file_brings_them_back(life: Delivery, tmp_path: Path):
    carry_out(ask_for_erasure(person_at(ADDRESS)).pk)
    file = tmp_path / "again.csv"
    file.write_text("mail\nPERSON1@EXAMPLE.ORG\nsomebody.else@example.org\n")

    import_file(file, list_name="Again")

    assert Denylist.objects.get().recipient.address_key == KEY
    assert KEY.encode() not in bytes(ErasedWish.objects.get().digest)


def test_it_replaces_the_address_in_what_servers_said(life: Delivery):
    sent = Message.objects.get(recipient__address=ADDRESS)
    Message.objects.filter(pk=sent.pk).update(state=MessageState.FAILED, reply=f"550 <{KEY}>: no", address=ADDRESS)

    carry_out(ask_for_erasure(person_at(ADDRESS)).pk)

    sent.refresh_from_db()
    assert sent.reply == f"550 <{person_at(ADDRESS).pseudonym}>: no"
    assert sent.state == MessageState.FAILED


def test_it_holds_everything_back_until_a_worker_comes_and_then_does_it_once(life: Delivery):
    ask_for_erasure(person_at(ADDRESS))
    ask_for_erasure(person_at(ADDRESS))

    assert Denylist.objects.get().recipient.address == ADDRESS
    assert Message.objects.get(recipient__address=ADDRESS).state == MessageState.CANCELLED
    assert Erasure.objects.count() == 1

    carry_out_waiting()
    carry_out_waiting()

    assert Erasure.objects.get().done_at is not None
    assert AuditLine.objects.filter(sentence__endswith="were erased.").count() == 1


def test_it_erases_somebody_without_a_profile_or_without_an_address(life: Delivery):
    Recipient.objects.filter(address_key=KEY).delete()

    carry_out(ask_for_erasure(person_at(ADDRESS)).pk)

    assert KEY not in "\n".join(Message.objects.values_list("address", flat=True)).lower()
    assert Message.objects.filter(address="person2@example.org").exists()


def test_it_erases_on_the_command_line(life: Delivery, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target = tmp_path / "person.zip"

    call_command("privacy", "export", ADDRESS, output=target)
    call_command("privacy", "erase", ADDRESS, yes=True)

    assert zipfile.is_zipfile(target)
    assert "messages of the log" in capsys.readouterr().out
    assert not Recipient.objects.filter(address_key=KEY).exists()
    with pytest.raises(CommandError, match="no @ sign"):
        call_command("privacy", "erase", "nonsense", yes=True)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(CommandError, match=r"person\.zip cannot be written: No such file or directory\."):
        call_command("privacy", "export", ADDRESS, output=tmp_path / "nowhere" / "person.zip")


def test_nothing_is_erased_where_nobody_can_answer(life: Delivery, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("privacy", "erase", ADDRESS)

    assert Recipient.objects.filter(address_key=KEY).exists()


def test_an_export_reads_the_log_by_address_once(life: Delivery):
    with CaptureQueriesContext(connection) as queries:
        export_file(person_at(ADDRESS)).close()

    assert sum('UPPER("deliveries_message"."address"' in query["sql"] for query in queries) == 1


@pytest.mark.django_db(transaction=True)
def test_an_export_that_takes_too_long_is_left_to_an_operator(admin_client: Client, monkeypatch: pytest.MonkeyPatch):
    recipient = Recipient.objects.create(address=ADDRESS)
    monkeypatch.setattr(privacy, "holdings", lambda: [Holding("slow", 1, export=asleep, erase=lambda person: {})])
    monkeypatch.setattr("deliveries.pages.personal_data.MOST_SECONDS", 0.05)

    answer = admin_client.post(
        reverse("admin:deliveries_delivery_export_person", args=[recipient.pk]), follow=True
    ).content.decode()

    assert f"Have an operator run: manage.py privacy export {ADDRESS}" in answer
    assert not AuditLine.objects.exists()


def asleep(person: Person) -> dict[str, Any]:
    """An app that takes its time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")
    return {}


def test_it_asks_on_a_page_that_says_what_happens(admin_client: Client, life: Delivery):
    recipient = Recipient.objects.get(address_key=KEY)
    page = reverse("admin:deliveries_delivery_erase_person", args=[recipient.pk])
    shown = admin_client.get(page).content.decode()
    assert "1 message," in shown
    assert "keyed hash" in shown
    assert Recipient.objects.count() == 2
    own = admin_client.get(f"/admin/recipients/recipient/{recipient.pk}/change/").content.decode()
    assert page in own

    admin_client.post(page)

    assert Erasure.objects.get().asked_by is not None
    assert "asked for already" in admin_client.get(page).content.decode()
    exported = admin_client.post(reverse("admin:deliveries_delivery_export_person", args=[recipient.pk]))
    assert exported["Content-Type"] == "application/zip"
    assert exported.getvalue()[:2] == b"PK"


def test_it_needs_a_right_for_each(at_colleague: Client, life: Delivery):
    recipient = Recipient.objects.get(address_key=KEY)
    erase, export = (
        reverse(f"admin:deliveries_delivery_{name}_person", args=[recipient.pk]) for name in ("erase", "export")
    )

    assert at_colleague.get(erase).status_code == 403
    assert at_colleague.post(erase).status_code == 403
    assert at_colleague.post(export).status_code == 403
    own = at_colleague.get(f"/admin/recipients/recipient/{recipient.pk}/change/").content.decode()
    assert "Bern" in own
    assert erase not in own
    exporter = logged_in(person("exporter", Q(codename__in=["export_recipient", "view_recipient"])))
    exported = exporter.post(export)
    assert exported.status_code == 200
    assert exported.getvalue()[:2] == b"PK"  # read to its end, it is closed
    assert exporter.get(export).status_code == 405
    assert exporter.post(erase).status_code == 403
    assert not Erasure.objects.exists()


def test_it_keeps_the_wish_of_a_denied_person_whose_profile_is_deleted(admin_client: Client):
    people(2)
    first, second = Recipient.objects.order_by("pk")
    deny(first, source="phone")

    for each in (first, second):
        admin_client.post(f"/admin/recipients/recipient/{each.pk}/delete/", {"post": "yes"})

    assert not Recipient.objects.exists()
    assert ErasedWish.objects.count() == 1
