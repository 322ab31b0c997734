"""Mails that came back go when they are old, and with the person they are about."""

from datetime import timedelta

import pytest

from bounces.keeping import purge_mails
from bounces.models import BounceMail
from bounces.process import Outcome, process
from campaign.lib.clock import now
from deliveries.actions.personal_data import ask_for_erasure, carry_out, export_file, gathered, person_at
from deliveries.models import Message
from recipients.models import Quarantine
from tests.bounces import sent
from tests.deliveries.factories import confirmed, delivery, people

pytestmark = pytest.mark.django_db


def mail(digest: str, age: timedelta = timedelta(0), **values: object) -> BounceMail:
    defaults = {"source": "test", "received_at": now() - age, "raw": b"Subject: returned\r\n\r\n"}
    return BounceMail.objects.create(digest=digest, **{**defaults, **values})


def test_it_deletes_old_mails_in_batches():
    for number, days in enumerate((40, 31, 29)):
        mail(str(number), timedelta(days=days))

    assert [purge_mails(now() - timedelta(days=30), 1) for _ in range(3)] == [1, 1, 0]

    assert BounceMail.objects.get().digest == "2"


def test_it_exports_and_erases_the_mails_about_one_person():
    made = confirmed(delivery(people(2)))
    own, other = Message.objects.of_delivery(made.pk).order_by("pk")
    mail("own", message_ids=[own.pk])
    mail("named", findings=[{"recipient": own.address.upper(), "text": "unknown"}])
    mail("other", message_ids=[other.pk])
    person = person_at(own.address)

    assert len(gathered(person)["bounces"]["returned_mails"]) == 2
    with export_file(person) as file:
        assert b"returned/" in file.read()
    carry_out(ask_for_erasure(person).pk)

    assert BounceMail.objects.get().digest == "other"


def test_what_comes_back_after_an_erasure_is_not_kept():
    [message] = sent.messages(sent.delivered())
    raw, address, returned_to = sent.bounce(message), message.address, sent.return_path(message)
    carry_out(ask_for_erasure(person_at(address)).pk)

    done = process(raw, source="Test", envelope_to=returned_to)

    assert done.outcome is Outcome.OURS
    assert done.sentence == "It is about a person who was erased: nothing of it is kept."
    kept = BounceMail.objects.get()
    assert (bytes(kept.raw), kept.envelope_to, kept.findings) == (b"", "", [])
    message.refresh_from_db()
    assert address not in (message.reply or "")
    assert not Quarantine.objects.exists()
