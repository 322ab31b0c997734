"""Giving up copies that an archive never got."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.actions.archive_again import archive_again
from deliveries.actions.base import ActionRefused
from deliveries.actions.give_up_copies import give_up_copies
from deliveries.archiving.copies import CopyOutcome, alarms, archives_with_work, claim, figures, give_up, record
from deliveries.models import Archive, ArchiveCopy, AuditLine, CopyState, Delivery, MessageValues
from deliveries.retention import purge_log, purge_values
from deliveries.states import DeliveryState
from tests.deliveries.factories import builtin_blocks, confirmed, delivery, doubtful, people
from tests.deliveries.pages.test_acts import act, ask, said
from tests.deliveries.sending.sessions import waiting_for
from tests.people import at_colleague, at_marketer, colleague, marketer

__all__ = ["at_colleague", "at_marketer", "colleague", "marketer"]

pytestmark = pytest.mark.django_db

REASON = "The provider closed the mailbox."


@pytest.fixture
def archive() -> Archive:
    return Archive.objects.create(name="Vault", stores_files=True)


@pytest.fixture
def made(archive: Archive) -> Delivery:
    """Four messages were sent long ago: the archive has one copy, refused another and was never asked for the rest."""
    made = doubtful(confirmed(delivery(people(4), archive_emails=True, archive=archive)))
    archive_again(made)
    ago = now() - timedelta(hours=3)
    copies = ArchiveCopy.objects.of_delivery(made.pk)
    copies.update(noted_at=ago, next_attempt_at=ago)
    first, second = copies.order_by("pk").values_list("pk", flat=True)[:2]
    copies.filter(pk=first).update(state=CopyState.ARCHIVED)
    copies.filter(pk=second).update(state=CopyState.FAILED, reply="550 gone")
    Delivery.objects.filter(pk=made.pk).update(resources_until=now() - timedelta(minutes=1))
    made.refresh_from_db()
    return made


def states(made: Delivery) -> list[int]:
    return list(ArchiveCopy.objects.of_delivery(made.pk).order_by("pk").values_list("state", flat=True))


def test_personal_values_are_deleted_once_the_copies_are_given_up(made: Delivery, archive: Archive) -> None:
    assert purge_values(now()) == 0

    assert give_up_copies(made, reason=f"  {REASON}\n") == 3

    assert states(made) == [CopyState.ARCHIVED, *[CopyState.GIVEN_UP] * 3]
    assert not claim(archive, now(), 10)
    assert not archives_with_work(now())
    assert not alarms(now())
    sentence = f"3 copies that the archive “Vault” never got were given up. Reason: {REASON}"
    assert made.journal.filter(sentence=sentence).exists()
    assert AuditLine.objects.filter(delivery=made, sentence=sentence).exists()
    assert purge_values(now()) == 4
    assert not MessageValues.objects.exists()


def test_it_is_refused_without_a_reason_while_it_sends_and_when_nothing_is_missing(made: Delivery) -> None:
    with pytest.raises(ActionRefused, match="Write why"):
        give_up_copies(made, reason=" \n")
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.IN_PROGRESS)
    with pytest.raises(ActionRefused, match="still sends"):
        give_up_copies(made, reason=REASON)
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.FINISHED)
    give_up_copies(made, reason=REASON)
    with pytest.raises(ActionRefused, match="has every copy"):
        give_up_copies(made, reason=REASON)


def test_an_attempt_that_was_under_way_changes_it_only_when_the_archive_took_the_copy(
    made: Delivery, archive: Archive
) -> None:
    claimed = sorted(claim(archive, now(), 10), key=lambda copy: copy.pk)
    give_up_copies(made, reason=REASON)

    taken = CopyOutcome(claimed[0].pk, now(), None, is_complete=True, reply="250 OK")
    refused = CopyOutcome(claimed[1].pk, None, None, is_complete=False, reply="550 gone")
    record(claimed, [taken, refused], now())

    assert states(made) == [CopyState.ARCHIVED, CopyState.ARCHIVED, CopyState.GIVEN_UP, CopyState.GIVEN_UP]


def test_archiving_again_takes_it_back_while_the_values_are_there(made: Delivery) -> None:
    give_up_copies(made, reason=REASON)

    assert archive_again(made) == 4

    assert states(made) == [CopyState.PENDING] * 4


def test_the_page_says_what_is_lost_and_asks_for_the_reason(at_marketer: Client, made: Delivery) -> None:
    page = ask(at_marketer, made, "give_up_copies").content.decode()

    assert "Give up 3 copies?" in page
    assert "550 gone" in page
    assert "3 of 4 copies will never be in the archive" in page
    assert "nobody can make these copies" in page
    assert "The 1 copy that the archive has stays." in page
    assert said(act(at_marketer, made, "give_up_copies"))[-1].startswith("Write why")
    assert said(act(at_marketer, made, "give_up_copies", reason=REASON))[-1] == "Copies that were given up: 3."

    own = at_marketer.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()
    assert "<strong>3 given up</strong>" in own
    assert REASON in own
    assert "Give up missing copies" not in own
    log = at_marketer.get(reverse("admin:deliveries_delivery_log", args=[made.pk])).content.decode()
    assert "Given up: the archive never got it: 550 gone" in log


def test_the_page_says_nothing_of_what_the_archive_has_when_it_has_nothing(at_marketer: Client, made: Delivery) -> None:
    ArchiveCopy.objects.filter(state=CopyState.ARCHIVED).update(state=CopyState.FAILED)

    assert "that the archive has" not in ask(at_marketer, made, "give_up_copies").content.decode()


def test_it_is_offered_once_copies_are_missing_for_an_hour(
    at_marketer: Client, at_colleague: Client, made: Delivery
) -> None:
    address = reverse("admin:deliveries_delivery_dashboard", args=[made.pk])
    assert "Give up missing copies" in at_marketer.get(address).content.decode()
    assert "Give up missing copies" not in at_colleague.get(address).content.decode()
    assert ask(at_colleague, made, "give_up_copies").status_code == 403

    ArchiveCopy.objects.update(noted_at=now())

    assert "Give up missing copies" not in at_marketer.get(address).content.decode()


def test_its_figure_outlives_the_log(made: Delivery) -> None:
    give_up_copies(made, reason=REASON)
    purge_values(now())
    Delivery.objects.filter(pk=made.pk).update(finished_at=now() - timedelta(days=2))
    while purge_log(now() - timedelta(days=1), 100):
        pass
    made.refresh_from_db()

    assert not ArchiveCopy.objects.exists()
    assert (figures(made).archived, figures(made).given_up, figures(made).missing) == (1, 3, 0)


def test_what_is_to_be_made_is_found_by_the_index_alone(made: Delivery, archive: Archive) -> None:
    def plan(found: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        return str(found.explain())

    due = ArchiveCopy.objects.outstanding().filter(archive=archive, next_attempt_at__lte=now())
    assert "copy_to_do" in plan(due.order_by("next_attempt_at"))
    assert "copy_missing" in plan(ArchiveCopy.objects.of_delivery(made.pk).outstanding())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["give up", "record"])
def test_whoever_gives_up_and_whoever_makes_copies_take_their_rows_in_one_order(archive: Archive, act: str) -> None:
    builtin_blocks()
    made = doubtful(confirmed(delivery(people(2), archive_emails=True, archive=archive)))
    archive_again(made)
    first, second = ArchiveCopy.objects.order_by("pk")
    ArchiveCopy.objects.filter(pk=first.pk).update(reply="moved behind the other where the rows are stored")
    outcomes = [CopyOutcome(copy.pk, None, None, is_complete=False, reply="450 later") for copy in (second, first)]

    def elsewhere() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # As the planner does it with many rows: they are met as they are stored.
            cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            give_up(made.pk) if act == "give up" else record([second, first], outcomes, now())

    with waiting_for(first, elsewhere):
        assert ArchiveCopy.objects.select_for_update(nowait=True).get(pk=second.pk) == second
