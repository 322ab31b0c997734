"""Personal values go when the mirror pages end; the log stays."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from campaign.lib import retention
from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.actions.extend_resources import extend_resources
from deliveries.actions.retry_failed import retry_failed
from deliveries.analysis.run import exclusion_counts
from deliveries.models import AuditLine, Delivery, Message, MessageValues, Part, SeedAddress
from deliveries.pages.progress import progress_of
from deliveries.retention import purge_audit, purge_log, purge_values
from deliveries.states import DeliveryState
from deliveries.tasks import purge
from recipients.denylist import deny
from recipients.models import ListMembership, Recipient, RecipientList
from tests.deliveries.factories import confirmed, delivery, people

pytestmark = pytest.mark.django_db


def ended(made: Delivery) -> Delivery:
    """The delivery as if it had finished and its pages had just ended."""
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.FINISHED, resources_until=now())
    made.refresh_from_db()
    return made


def values_of(made: Delivery) -> int:
    return MessageValues.objects.filter(message__in=Message.objects.of_delivery(made.pk)).count()


def test_it_deletes_the_values_of_what_has_ended_and_keeps_the_log() -> None:
    over = ended(confirmed(delivery(people(5))))
    staying = confirmed(delivery(people_of("Others", 2), label="Stays"))

    assert purge_values(now()) == 5

    assert values_of(over) == 0
    assert Message.objects.of_delivery(over.pk).count() == 5
    assert values_of(staying) == 2
    over.refresh_from_db()
    assert over.values_purged_at is not None
    assert over.journal.filter(sentence__contains="personal values were deleted").count() == 1


def test_it_goes_on_where_a_run_was_cut_off_and_does_nothing_twice() -> None:
    over = ended(confirmed(delivery(people(3))))
    MessageValues.objects.filter(pk=Message.objects.of_delivery(over.pk).earliest("pk").pk).delete()

    assert purge_values(now()) == 2
    assert purge_values(now()) == 0


def test_it_leaves_a_delivery_alone_that_still_sends() -> None:
    made = confirmed(delivery(people(1)))
    Delivery.objects.filter(pk=made.pk).update(resources_until=now() - timedelta(days=1))

    assert purge_values(now()) == 0
    assert values_of(made) == 1


def test_it_sets_the_end_of_the_pages_when_the_delivery_is_confirmed() -> None:
    made = confirmed(delivery(people(1), resources_validity=timedelta(days=10)))

    made.refresh_from_db()
    assert made.started_at is not None
    assert made.resources_until == made.started_at + timedelta(days=10)


def test_it_keeps_the_pages_longer_when_a_person_asks_for_it_in_time() -> None:
    made = ended(confirmed(delivery(people(1))))

    extend_resources(made)

    assert made.resources_until is not None
    assert made.resources_until > now() + timedelta(days=59)
    assert purge_values(now()) == 0


def test_it_cannot_bring_pages_back_whose_values_are_deleted() -> None:
    made = ended(confirmed(delivery(people(1))))
    purge_values(now())

    with pytest.raises(ActionRefused, match="cannot come back"):
        extend_resources(made)
    with pytest.raises(ActionRefused, match="has not started"):
        extend_resources(delivery())


def test_it_sends_nothing_again_whose_values_are_deleted() -> None:
    made = ended(confirmed(delivery(people(1))))
    purge_values(now())

    with pytest.raises(ActionRefused, match="cannot be made again"):
        retry_failed(made)


def test_it_asks_before_the_pages_are_kept_longer(admin_client: Client) -> None:
    made = ended(confirmed(delivery(people(1))))
    question = admin_client.get(reverse("admin:deliveries_delivery_question", args=[made.pk, "extend_resources"]))
    assert "They will stay for 60d from now" in question.content.decode()

    admin_client.post(reverse("admin:deliveries_delivery_act", args=[made.pk, "extend_resources"]))

    made.refresh_from_db()
    assert made.resources_until is not None
    assert made.resources_until > now()


def people_of(name: str, count: int) -> RecipientList:
    """Other people than :func:`people` makes."""
    chosen = RecipientList.objects.create(name=name)
    for number in range(count):
        person = Recipient.objects.create(address=f"{name}{number}@example.org", address_key=f"{name}{number}@x")
        ListMembership.objects.create(list=chosen, recipient=person)
    return chosen


def old(made: Delivery) -> Delivery:
    """The delivery as if it had ended long ago, its values deleted."""
    ended(made)
    Delivery.objects.filter(pk=made.pk).update(finished_at=now() - timedelta(days=200))
    purge_values(now())
    made.refresh_from_db()
    return made


def before() -> datetime:
    return now() - timedelta(days=180)


def test_it_deletes_an_old_log_in_batches_and_keeps_the_figures(admin_client: Client) -> None:
    readers = people(5)
    deny(Recipient.objects.earliest("pk"), source="phone")
    made = old(confirmed(delivery(readers)))
    Part.objects.filter(delivery=made).update(sent=3, failed=1)
    page = reverse("admin:deliveries_delivery_dashboard", args=[made.pk])
    figures_before = (progress_of([made])[made.pk], exclusion_counts(made))

    deleted = []
    while some := purge_log(before(), 2):
        deleted.append(some)

    assert deleted == [1, 2, 2]  # the exclusion, then four messages
    made.refresh_from_db()
    assert made.log_purged_at is not None
    assert not Message.objects.exists()
    assert (progress_of([made])[made.pk], exclusion_counts(made)) == figures_before
    assert exclusion_counts(made) == {"denylisted": 1}
    assert "Denylisted" in admin_client.get(page).content.decode()
    log = admin_client.get(reverse("admin:deliveries_delivery_log", args=[made.pk])).content.decode()
    assert "The log was deleted" in log
    assert purge_log(before(), 2) == 0


def test_it_leaves_logs_alone_that_somebody_needs() -> None:
    young = ended(confirmed(delivery(people(1), label="Ended a moment ago")))
    Delivery.objects.filter(pk=young.pk).update(finished_at=now())
    running = confirmed(delivery(people_of("A", 1), label="Runs"))
    Delivery.objects.filter(pk=running.pk).update(finished_at=now() - timedelta(days=200))
    with_pages = confirmed(delivery(people_of("B", 1), label="Its pages are open"))
    Delivery.objects.filter(pk=with_pages.pk).update(
        state=DeliveryState.FINISHED, finished_at=now() - timedelta(days=200)
    )

    assert purge_log(before(), 10) == 0
    assert Message.objects.count() == 3


def test_it_keeps_the_messages_to_seed_addresses_of_an_old_log() -> None:
    made = old(confirmed(delivery(people(2))))
    last = Message.objects.of_delivery(made.pk).latest("pk")
    Message.objects.filter(pk=last.pk).update(seed=SeedAddress.objects.create(address="seed@example.com"))

    assert purge_log(before(), 10) == 1

    assert Message.objects.get() == last


def test_it_deletes_old_lines_of_the_audit_trail() -> None:
    made = delivery()
    for days in (1, 200, 300):
        AuditLine.objects.create(at=now() - timedelta(days=days), delivery=made, sentence=f"{days} days ago")

    assert purge_audit(before(), 10) == 2

    assert AuditLine.objects.get(sentence__contains="days ago").sentence == "1 days ago"


def test_it_carries_out_everything_that_is_registered(settings) -> None:
    settings.KEEP_AUDIT = timedelta(days=180)
    AuditLine.objects.create(at=now() - timedelta(days=200), sentence="Long ago")

    purge()

    assert not AuditLine.objects.exists()
    names = {each.name for each in retention.purges()}
    assert {"messages of the log", "lines of the audit trail", "imports", "files of people"} <= names


def test_nothing_is_deleted_of_what_is_sent_again_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ended(confirmed(delivery(people(2))))

    def sent_again_meanwhile(delivery_id: int) -> bool:
        Delivery.objects.filter(pk=delivery_id).update(state=DeliveryState.IN_PROGRESS)
        return False

    monkeypatch.setattr("deliveries.retention._lacks_copies", sent_again_meanwhile)

    assert purge_values(now()) == 0

    assert values_of(made) == 2
    made.refresh_from_db()
    assert made.values_purged_at is None
