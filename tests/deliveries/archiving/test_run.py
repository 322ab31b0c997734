"""Exact copies, over real SMTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from campaign.demo.sink import Fault, Script
from campaign.lib.clock import now
from deliveries.actions.create import create
from deliveries.actions.in_doubt import close_in_doubt
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.analysis.run import analyse
from deliveries.archiving.copies import alarms, claim, figures
from deliveries.archiving.run import make_copies
from deliveries.models import (
    Archive,
    ArchiveCopy,
    ArchivePolicy,
    CopyState,
    Delivery,
    DeliveryTemplate,
    Message,
    MessageValues,
    Route,
)
from deliveries.retention import purge_values
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState
from tests.deliveries import factories
from tests.deliveries.sending.certificates import Authority, authority
from tests.deliveries.sending.test_transport_tls import Judge, judge
from tests.smtp_sink import SinkThread

__all__ = ["authority", "judge"]

pytestmark = pytest.mark.django_db

MAILBOX = "copies@archive.example"


@pytest.fixture
def mailbox() -> Iterator[SinkThread]:
    """The archive's own server."""
    sink = SinkThread()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def archive(mailbox: SinkThread) -> Archive:
    route = Route.objects.create(name="Archive", host="127.0.0.1", port=mailbox.port, security="none")
    return Archive.objects.create(name="Vault", address=MAILBOX, route=route)


@pytest.fixture
def sent(worker: Worker, smtp_sink: SinkThread, archive: Archive) -> Delivery:
    """A signed delivery to four people, one of whom the server refuses."""
    factories.route(smtp_sink.port)
    call_command("dkim_key", "example.com", stdout=StringIO())
    smtp_sink.misbehave(Fault("RCPT", reply="550 5.1.1 No such user", recipient="person2@example.org"))
    made = factories.delivery(
        factories.people(4), archive_emails=True, archive=archive, smtp_headers="X-Who: {{ recipient.first_name }}"
    )
    return factories.send(worker, factories.confirmed(made))


def states(made: Delivery) -> list[int]:
    return sorted(
        ArchiveCopy.objects.filter(message__in=Message.objects.of_delivery(made.pk)).values_list("state", flat=True)
    )


def copy_now(archive: Archive) -> bool:
    ArchiveCopy.objects.update(next_attempt_at=now())
    return make_copies(archive, now() + timedelta(seconds=20))


@pytest.mark.parametrize("without", ["", "CHUNKING"])
def test_it_hands_the_archive_the_octets_that_the_recipients_server_accepted(
    worker: Worker, smtp_sink: SinkThread, archive: Archive, mailbox: SinkThread, without: str
) -> None:
    extensions = tuple(name for name in Script().extensions if name != without)
    smtp_sink.sink.script = Script(extensions=extensions)
    factories.route(smtp_sink.port)
    call_command("dkim_key", "example.com", stdout=StringIO())
    html = factories.HTML.replace("Hello", "Hello ünd\n.\n..dots")
    made = factories.delivery(factories.people(3), html=html, archive_emails=True, archive=archive)
    factories.send(worker, factories.confirmed(made))

    copy_now(archive)

    originals = {message.recipients[0]: message.data for message in smtp_sink.messages}
    copies = sorted(message.data for message in mailbox.messages)
    assert len(copies) == 3
    assert copies == sorted(originals.values())
    assert all(data.startswith(b"DKIM-Signature") for data in copies)


def test_it_uses_a_transaction_of_its_own_and_names_the_archive_nowhere(
    sent: Delivery, archive: Archive, mailbox: SinkThread, smtp_sink: SinkThread
) -> None:
    copy_now(archive)

    assert {message.sender for message in mailbox.messages} == {""}
    assert {message.recipients for message in mailbox.messages} == {(MAILBOX,)}
    assert not any(MAILBOX.encode() in message.data for message in [*mailbox.messages, *smtp_sink.messages])


def test_it_archives_what_was_accepted_and_nothing_else(sent: Delivery, archive: Archive, mailbox: SinkThread) -> None:
    copy_now(archive)

    refused = Message.objects.of_delivery(sent.pk).get(state=MessageState.FAILED)
    assert not ArchiveCopy.objects.filter(pk=refused.pk).exists()
    assert len(mailbox.messages) == 3
    assert states(sent) == [CopyState.ARCHIVED] * 3
    assert figures(sent).archived == 3


def test_it_archives_nothing_while_the_box_is_not_ticked(
    worker: Worker, smtp_sink: SinkThread, archive: Archive
) -> None:
    factories.route(smtp_sink.port)
    factories.send(worker, factories.confirmed(factories.delivery(factories.people(2), archive=archive)))

    assert not ArchiveCopy.objects.exists()


def test_it_keeps_a_refused_copy_with_the_servers_words_and_tries_again_until_it_is_taken(
    sent: Delivery, archive: Archive, mailbox: SinkThread
) -> None:
    mailbox.misbehave(Fault("RCPT", reply="452 4.2.2 Mailbox full"))
    copy_now(archive)

    assert states(sent) == [CopyState.FAILED] * 3
    assert figures(sent).reply == "452 4.2.2 Mailbox full"
    assert not claim(archive, now(), 10)
    assert Message.objects.of_delivery(sent.pk).filter(state=MessageState.SENT).count() == 3
    assert sent.current_state is DeliveryState.FINISHED

    mailbox.sink.script = Script()
    copy_now(archive)

    assert states(sent) == [CopyState.ARCHIVED] * 3


def test_it_neither_delays_nor_fails_the_delivery_when_the_archive_is_away(
    worker: Worker, smtp_sink: SinkThread, archive: Archive
) -> None:
    factories.route(smtp_sink.port)
    Route.objects.filter(name="Archive").update(port=9)
    archive.refresh_from_db()
    made = factories.delivery(factories.people(3), archive_emails=True, archive=archive)
    made = factories.send(worker, factories.confirmed(made))

    copy_now(archive)

    assert made.current_state is DeliveryState.FINISHED
    assert states(made) == [CopyState.FAILED] * 3
    assert "127.0.0.1:9" in figures(made).reply


def test_it_encrypts_the_copies_on_their_way_and_hands_over_none_to_a_server_that_cannot_prove_its_name(
    sent: Delivery, archive: Archive, smtp_sink: SinkThread, authority: Authority, judge: Callable[..., Judge]
) -> None:
    server = judge(starttls=authority.right)
    encrypted = {"port": server.port, "security": "starttls"}
    Route.objects.filter(name="Archive").update(**encrypted)
    archive.refresh_from_db()

    copy_now(archive)

    assert not server.received
    assert figures(sent).failed == 3
    assert "certificate" in figures(sent).reply

    Route.objects.filter(name="Archive").update(authority_file=str(authority.file))
    archive.refresh_from_db()
    copy_now(archive)

    assert sorted(bytes(copy.original_content or b"") for copy in server.received) == sorted(
        message.data for message in smtp_sink.messages
    )
    assert figures(sent).archived == 3


def test_it_uses_no_route_that_is_not_active_but_the_one_that_stands_in_for_it(
    sent: Delivery, archive: Archive, mailbox: SinkThread
) -> None:
    Route.objects.filter(name="Archive").update(is_active=False)
    archive.refresh_from_db()

    copy_now(archive)

    assert not mailbox.messages
    assert "The route “Archive” is not active" in figures(sent).reply

    stand_in = Route.objects.create(name="Second", host="127.0.0.1", port=mailbox.port)
    Route.objects.filter(name="Archive").update(fallback=stand_in)
    archive.refresh_from_db()
    copy_now(archive)

    assert len(mailbox.messages) == 3


def test_it_archives_nothing_of_which_nobody_knows_whether_it_was_accepted(
    worker: Worker, smtp_sink: SinkThread, archive: Archive
) -> None:
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", close=True, message=1))
    made = factories.delivery(factories.people(3), archive_emails=True, archive=archive)
    made = factories.send(worker, factories.confirmed(made))
    Delivery.objects.update(rests_until=None)
    smtp_sink.misbehave()
    made = factories.send(worker, made)
    assert sorted(factories.states(made)) == [MessageState.SENT, MessageState.SENT, MessageState.IN_DOUBT]

    close_in_doubt(made)
    call_command("archive_again", made.pk, stdout=StringIO())

    assert ArchiveCopy.objects.count() == 2


@pytest.mark.parametrize("asked", [False, True])
def test_it_archives_a_proof_only_when_that_is_asked_for(
    worker: Worker, smtp_sink: SinkThread, archive: Archive, asked: bool
) -> None:
    factories.route(smtp_sink.port)
    Archive.objects.update(policy=ArchivePolicy.LOCKED)
    made = factories.delivery(factories.people(2), archive_emails=True, archive=archive)

    proof = send_proof(made, Proof(addresses=["tester@example.com"], archive=asked))
    analyse(proof.pk)
    proof.refresh_from_db()
    if proof.current_state is DeliveryState.READY:
        factories.accepted(proof)
    factories.send(worker, proof)

    assert [message.recipients for message in smtp_sink.messages] == [("tester@example.com",)]
    assert ArchiveCopy.objects.count() == asked


def test_it_archives_nothing_of_a_test_without_contents(
    worker: Worker, smtp_sink: SinkThread, archive: Archive
) -> None:
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(2), archive_emails=True, archive=archive, test_smtp=True)

    factories.send(worker, factories.confirmed(made))

    assert not ArchiveCopy.objects.exists()


def test_it_makes_a_copy_again_whose_process_died_once_the_lease_is_over(
    sent: Delivery, archive: Archive, mailbox: SinkThread
) -> None:
    ArchiveCopy.objects.update(next_attempt_at=now())
    assert len(claim(archive, now(), 10)) == 3
    assert not make_copies(archive, now() + timedelta(seconds=5))
    assert not mailbox.messages

    copy_now(archive)

    assert len(mailbox.messages) == 3


def test_it_makes_a_copy_again_when_the_connection_broke_before_the_answer(
    sent: Delivery, archive: Archive, mailbox: SinkThread
) -> None:
    mailbox.misbehave(Fault("END", close=True, keep=True))
    copy_now(archive)
    assert set(states(sent)) != {CopyState.ARCHIVED}
    mailbox.sink.script = Script()

    copy_now(archive)

    assert states(sent) == [CopyState.ARCHIVED] * 3
    assert len({message.data for message in mailbox.messages}) == 3


def test_it_stores_files_readable_for_the_owner_alone(
    worker: Worker, smtp_sink: SinkThread, settings: LazySettings, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "archive": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    archive = Archive.objects.create(name="Files", stores_files=True)
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(2), archive_emails=True, archive=archive)
    made = factories.send(worker, factories.confirmed(made))
    cut_off = tmp_path / str(made.pk) / "000000001.eml"
    cut_off.parent.mkdir()
    cut_off.write_bytes(b"half")

    copy_now(archive)

    files = sorted((tmp_path / str(made.pk)).iterdir())
    assert sorted(file.read_bytes() for file in files) == sorted(message.data for message in smtp_sink.messages)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert states(made) == [CopyState.ARCHIVED] * 2


def test_it_archives_a_delivery_again_by_command(sent: Delivery, archive: Archive, mailbox: SinkThread) -> None:
    copy_now(archive)
    said = StringIO()

    call_command("archive_again", sent.pk, stdout=said)

    assert said.getvalue() == f"3 copies of “{sent}” will be made.\n"
    copy_now(archive)
    assert len(mailbox.messages) == 6
    with pytest.raises(CommandError, match="There is no delivery 0"):
        call_command("archive_again", 0)


def test_it_keeps_the_values_while_copies_are_missing(sent: Delivery, archive: Archive) -> None:
    Delivery.objects.filter(pk=sent.pk).update(resources_until=now())

    assert purge_values(now()) == 0

    copy_now(archive)
    assert purge_values(now()) == 4
    assert not MessageValues.objects.exists()


def test_it_raises_an_alarm_for_copies_that_are_missing_for_an_hour(sent: Delivery, admin_client: Client) -> None:
    assert alarms(now()) == []
    ArchiveCopy.objects.update(noted_at=now() - timedelta(hours=2), reply="550 No")

    [alarm] = alarms(now())

    assert (alarm.archive, alarm.missing, alarm.reply) == ("Vault", 3, "550 No")
    home = admin_client.get(reverse("admin:index")).content.decode()
    assert "3 copies are missing" in home


def test_it_shows_the_state_of_each_copy_in_the_log_and_the_counts_on_the_dashboard(
    sent: Delivery, archive: Archive, admin_client: Client
) -> None:
    copy_now(archive)

    log = admin_client.get(reverse("admin:deliveries_delivery_log", args=[sent.pk])).content.decode()
    dashboard = admin_client.get(reverse("admin:deliveries_delivery_dashboard", args=[sent.pk])).content.decode()

    assert log.count("Archived") == 3
    assert "3 archived" in dashboard
    assert "Archive again…" in dashboard


def test_it_archives_every_delivery_when_an_archive_is_locked(
    worker: Worker, smtp_sink: SinkThread, archive: Archive, admin_client: Client
) -> None:
    Archive.objects.update(policy=ArchivePolicy.LOCKED)
    factories.route(smtp_sink.port)
    made = factories.analysed(factories.delivery(factories.people(1), archive_emails=False))
    form = admin_client.get(reverse("admin:deliveries_delivery_change", args=[made.pk])).context["adminform"].form
    assert form.fields["archive_emails"].disabled
    assert "the operator set it so" in form.fields["archive_emails"].help_text

    factories.accepted(made)
    factories.send(worker, made)

    assert states(made) == [CopyState.PENDING]


def test_it_ticks_the_box_of_new_deliveries_when_an_archive_is_the_default(archive: Archive) -> None:
    template = DeliveryTemplate.objects.create(label="Plain")
    assert not create(template, label="First").archive_emails

    Archive.objects.update(policy=ArchivePolicy.DEFAULT)

    made = create(template, label="Second")
    assert made.archive_emails
    assert made.archive == archive


def test_it_says_who_uses_an_archive_that_somebody_wants_to_delete(
    sent: Delivery, archive: Archive, admin_client: Client
) -> None:
    page = admin_client.get(reverse("admin:deliveries_archive_delete", args=[archive.pk])).content.decode()
    assert "Used by deliveries: 1. Choose another archive there first." in page
    assert "It has copies." in page
    assert archive.route is not None
    page = admin_client.get(reverse("admin:deliveries_route_delete", args=[archive.route.pk])).content.decode()
    assert "Used by archives: 1." in page

    unused = Archive.objects.create(name="Unused", stores_files=True)
    admin_client.post(reverse("admin:deliveries_archive_delete", args=[unused.pk]), {"post": "yes"})
    assert not Archive.objects.filter(name="Unused").exists()


def test_it_shows_an_archives_name_as_text(sent: Delivery, archive: Archive, admin_client: Client) -> None:
    Archive.objects.update(name="<script>alert(1)</script>", policy=ArchivePolicy.LOCKED)
    made = factories.delivery(label="Another")

    page = admin_client.get(reverse("admin:deliveries_delivery_change", args=[made.pk])).content.decode()

    assert "<script>alert(1)" not in page
