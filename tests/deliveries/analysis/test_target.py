"""Whom a delivery reaches: unions, exclusions, samples, control group, and the estimate that says so before."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.analysis.run import exclusion_counts
from deliveries.analysis.target import estimate, judge
from deliveries.archiving.copies import figures, note_missing
from deliveries.models import (
    Archive,
    ArchiveCopy,
    CopyState,
    Delivery,
    Exclusion,
    ExclusionReason,
    Level,
    Message,
    SeedAddress,
    SeedGroup,
)
from deliveries.pages.failures import failures_of
from deliveries.pages.progress import counts, progress_of
from deliveries.states import DeliveryState, MessageState
from recipients import denylist, quarantine
from recipients.models import (
    ListMembership,
    PeopleFile,
    PeopleFileLine,
    Quarantine,
    QuarantineStatus,
    Recipient,
    RecipientList,
    SavedQuery,
    Service,
    Subscription,
)
from tests.deliveries.factories import analysed, confirmed, delivery, people, send
from tests.people import at_marketer, marketer

__all__ = ["at_marketer", "marketer"]

pytestmark = pytest.mark.django_db


def query(field: str, operator: str, value: Any = None, *, name: str = "A query") -> SavedQuery:
    return SavedQuery.objects.create(
        name=name, definition={"match": "all", "items": [{"field": field, "is": operator, "value": value}]}
    )


def addresses(made: Delivery) -> list[str]:
    """Local parts of the addresses of the log, in order, seeds left out."""
    messages = Message.objects.of_delivery(made.pk).filter(seed__isnull=True).order_by("pk")
    return [address.partition("@")[0] for address in messages.values_list("address", flat=True)]


def excluded(made: Delivery, reason: ExclusionReason) -> list[str]:
    found = Exclusion.objects.filter(delivery=made, reason=reason).order_by("recipient_id")
    return [address.partition("@")[0] for address in found.values_list("address", flat=True)]


def errors(made: Delivery) -> list[str]:
    return list(made.journal.filter(level=Level.ERROR).values_list("sentence", flat=True))


def file_of(*lines: tuple[Recipient, dict[str, str]]) -> PeopleFile:
    file = PeopleFile.objects.create(file_name="orders.csv", state="done", columns=[["amount", "Amount"]])
    for person, values in lines:
        PeopleFileLine.objects.create(file=file, recipient=person, values=values)
    return file


def test_it_unites_lists_and_queries_and_writes_to_everybody_once() -> None:
    readers = people(3)
    made = delivery(readers)
    made.target_lists.add(RecipientList.objects.create(name="Empty"))
    made.target_queries.add(query("first_name", "in", "name3\nname4"))
    Recipient.objects.create(address="new@example.org", first_name="Name4")

    analysed(made)

    assert addresses(made) == ["person1", "person2", "person3", "new"]
    assert exclusion_counts(made) == {"duplicate": 1}
    assert (made.population, made.to_deliver) == (5, 4)


def test_it_leaves_out_who_is_on_an_excluded_list_or_found_by_an_excluded_query() -> None:
    made = delivery(people(4))
    barred = RecipientList.objects.create(name="Competitors")
    ListMembership.objects.create(list=barred, recipient=Recipient.objects.get(first_name="name1"))
    made.excluded_lists.add(barred)
    made.excluded_queries.add(query("first_name", "equals", "name2"))

    analysed(made)

    assert addresses(made) == ["person3", "person4"]
    assert excluded(made, ExclusionReason.BARRED) == ["person1", "person2"]


def test_it_reaches_who_was_sent_an_earlier_delivery_and_who_was_not(worker, smtp_sink) -> None:
    from tests.deliveries.factories import route

    route(smtp_sink.port)
    people(2, on="First")
    first = send(worker, confirmed(delivery(RecipientList.objects.get(name="First"), label="First")))
    Recipient.objects.create(address="late@example.org")
    assert first.current_state is DeliveryState.FINISHED

    was_sent, was_not = delivery(label="Again"), delivery(label="Reminder")
    was_sent.target_queries.add(query("did.sent", "delivery", str(first.pk), name="Sent"))
    was_not.target_queries.add(query("did.sent", "not_past_days", 30, name="Not sent"))

    assert addresses(analysed(was_sent)) == ["person1", "person2"]
    assert addresses(analysed(was_not)) == ["late"]


def test_a_query_that_cannot_be_used_any_more_stops_the_analysis_with_its_name() -> None:
    made = delivery()
    made.target_queries.add(query("attribute.gone", "filled", name="VIPs"))

    analysed(made)

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert errors(made) == [
        "The query “VIPs” cannot be used: There is no field “attribute.gone” any more. Choose another one."
    ]


@pytest.mark.parametrize(
    ("switch", "reason"),
    [("exclude_denylisted", ExclusionReason.DENYLISTED), ("exclude_quarantined", ExclusionReason.QUARANTINED)],
)
def test_denylist_and_quarantine_can_be_switched_off(switch: str, reason: ExclusionReason) -> None:
    readers = people(2)
    denylist.deny(Recipient.objects.get(first_name="name1"), source="phone")
    quarantine.add("person1@example.org", reason="Full")
    other = "exclude_quarantined" if switch == "exclude_denylisted" else "exclude_denylisted"

    on = analysed(delivery(readers, **{other: False}))
    off = analysed(delivery(readers, exclude_denylisted=False, exclude_quarantined=False))

    assert excluded(on, reason) == ["person1"]
    assert addresses(on) == ["person2"]
    assert addresses(off) == ["person1", "person2"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (QuarantineStatus.UNKNOWN, None),
        (QuarantineStatus.WITH_ERRORS, None),
        (QuarantineStatus.VALID, None),
        (QuarantineStatus.ALLOWLISTED, None),
        (QuarantineStatus.QUARANTINE, ExclusionReason.QUARANTINED),
        (QuarantineStatus.DENYLISTED, ExclusionReason.DENYLISTED),
    ],
)
def test_the_status_of_an_address_decides_whether_it_is_left_out(
    status: QuarantineStatus, reason: ExclusionReason | None
) -> None:
    readers = people(2)
    Quarantine.objects.create(address_key="person1@example.org", status=status)

    made = analysed(delivery(readers))

    assert addresses(made) == (["person2"] if reason else ["person1", "person2"])
    assert reason is None or excluded(made, reason) == ["person1"]


def test_nobody_gets_it_without_consent_once_a_service_is_chosen() -> None:
    readers = people(3)
    service = Service.objects.create(name="News")
    for number, withdrawn in ((1, None), (2, "2026-01-01T00:00Z")):
        person = Recipient.objects.get(first_name=f"name{number}")
        Subscription.objects.create(service=service, recipient=person, withdrawn_at=withdrawn)

    made = analysed(delivery(readers, consent_service=service))

    assert addresses(made) == ["person1"]
    assert excluded(made, ExclusionReason.NO_CONSENT) == ["person2", "person3"]


def test_duplicates_are_kept_as_far_as_asked() -> None:
    readers = people(2)
    first, second = Recipient.objects.order_by("pk")
    other = RecipientList.objects.create(name="Other")
    file = file_of((first, {"amount": "1"}), (first, {"amount": "2"}))

    def reached(**values: Any) -> list[str]:
        made = delivery(readers, target_file=file, **values)
        made.target_queries.add(SavedQuery.objects.get_or_create(name="All", defaults={"definition": everybody})[0])
        return addresses(analysed(made))

    everybody = {"match": "all", "items": [{"field": "address", "is": "filled"}]}

    assert other.memberships.count() == 0
    assert reached() == ["person1", "person2"]
    assert reached(exclude_duplicates=False) == ["person1"] * 3 + ["person2"]
    assert reached(exclude_duplicates=False, keep_duplicate_records=True) == ["person1"] * 4 + ["person2"] * 2
    assert second.pk


def test_columns_of_the_file_are_frozen_in_the_messages() -> None:
    readers = people(2)
    first = Recipient.objects.order_by("pk")[0]
    file = file_of((first, {"amount": "1"}), (first, {"amount": "2"}))
    made = delivery(readers, target_file=file, subject="You owe {{ file.amount }}")

    analysed(made)

    values = [message.frozen.values for message in Message.objects.of_delivery(made.pk).order_by("pk")]
    assert made.content
    place = made.content.compiled["fields"].index("file.amount")
    assert [each[place] for each in values] == ["2", None]
    assert errors(delivery(readers, subject="{{ file.amount }}")) == []


def test_without_a_file_its_columns_are_unknown() -> None:
    made = analysed(delivery(people(1), subject="{{ file.amount }}"))

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert "file.amount" in errors(made)[0]


@pytest.mark.parametrize(
    ("mode", "size", "expected"), [("number", 10, 10), ("percent", 25, 10), ("number", 100, 40), ("percent", 100, 40)]
)
def test_the_sample_is_the_same_when_analysed_again(mode: str, size: float, expected: int) -> None:
    made = delivery(people(40), limit_mode=mode, limit_size=size)

    first = addresses(analysed(made))
    again = addresses(analysed(made))
    other = addresses(analysed(delivery(RecipientList.objects.get(), limit_mode=mode, limit_size=size)))

    assert len(first) == expected
    assert first == again
    assert len(other) == expected
    assert (other == first) == (expected == 40)
    assert len(excluded(made, ExclusionReason.NOT_DRAWN)) == 40 - expected


@pytest.mark.parametrize(("mode", "size", "expected"), [("number", 8, 8), ("percent", 10, 3)])
def test_the_control_group_is_drawn_from_the_sample_gets_nothing_and_is_listed(
    mode: str, size: float, expected: int
) -> None:
    made = delivery(people(40), limit_mode="number", limit_size=30, control_mode=mode, control_size=size)

    analysed(made)

    group = excluded(made, ExclusionReason.CONTROL_GROUP)
    assert len(group) == expected
    assert made.to_deliver == 30 - expected
    assert not set(group) & set(addresses(made))
    assert len(excluded(made, ExclusionReason.NOT_DRAWN)) == 10


def test_the_estimate_says_what_the_analysis_finds_and_writes_nothing(django_assert_max_num_queries) -> None:
    made = delivery(people(20), control_mode="number", control_size=3)
    made.target_queries.add(query("first_name", "in", "name1\nname2"))
    denylist.deny(Recipient.objects.get(first_name="name5"), source="phone")
    Recipient.objects.filter(first_name="name6").update(address=None, address_key=None)

    with django_assert_max_num_queries(8):
        told = estimate(made)
    assert Message.objects.count() == Exclusion.objects.count() == 0
    analysed(made)

    assert (told.found, told.to_deliver) == (made.population, made.to_deliver) == (22, 15)
    assert {reason.value: number for reason, number in told.excluded} == exclusion_counts(made)


def test_an_empty_target_is_estimated_as_nobody() -> None:
    told = estimate(delivery())

    assert (told.found, told.to_deliver, told.excluded) == (0, 0, ())


def test_one_person_is_judged_as_the_analysis_would() -> None:
    made = delivery(people(2))
    first, second = Recipient.objects.order_by("pk")
    denylist.deny(first, source="phone")
    stranger = Recipient.objects.create(address="x@example.org")

    assert judge(made, first.pk) == (True, ExclusionReason.DENYLISTED)
    assert judge(made, second.pk) == (True, None)
    assert judge(made, stranger.pk) == (False, None)


def seeds(made: Delivery, *addresses: str, **values: Any) -> None:
    group = SeedGroup.objects.create(name="Colleagues")
    for address in addresses:
        SeedAddress.objects.create(address=address, **values).groups.add(group)
    made.seed_groups.add(group)


def test_seed_addresses_stand_among_the_messages_and_in_no_figure(worker, smtp_sink) -> None:
    from tests.deliveries.factories import route

    route(smtp_sink.port)
    made = delivery(people(30))
    seeds(made, "s1@example.com", "s2@example.com", "s3@example.com")

    analysed(made)

    messages = list(Message.objects.of_delivery(made.pk).order_by("pk"))
    assert [message.number for message in messages] == list(range(1, 34))
    assert sum(message.seed_id is not None for message in messages) == 3
    assert addresses(made) == [f"person{number}" for number in range(1, 31)]
    assert (made.to_deliver, made.seeds, made.to_send) == (30, 3, 33)
    send(worker, confirmed(made))
    progress = progress_of([made])[made.pk]
    assert (progress.to_deliver, progress.sent, progress.percent) == (30, 30, 100)
    assert counts(made, progress)[0] == (MessageState.SENT, 30)
    assert len(smtp_sink.messages) == 33


def test_seed_addresses_are_in_no_figure_of_failures_exclusions_archive_and_log(at_marketer: Client) -> None:
    archive = Archive.objects.create(name="Vault", stores_files=True)
    made = delivery(people(2), archive_emails=True, archive=archive)
    seeds(made, "s1@example.com", "s2@example.com")
    confirmed(made)
    Message.objects.of_delivery(made.pk).filter(address="s1@example.com").update(
        state=MessageState.FAILED, failure_type="hard", reason=1, reply="550 5.1.1 Unknown"
    )
    Message.objects.of_delivery(made.pk).exclude(address="s1@example.com").update(state=MessageState.SENT)
    note_missing(made, archive, now())
    ArchiveCopy.objects.update(state=CopyState.ARCHIVED)
    made.refresh_from_db()

    assert failures_of(made) == []
    assert exclusion_counts(made) == {}
    assert (figures(made).archived, figures(made).missing) == (2, 0)
    log = reverse("admin:deliveries_delivery_log", args=[made.pk])
    assert "example.com" not in at_marketer.get(log).content.decode().partition("<tbody")[2]
    only_seeds = at_marketer.get(log, {"seeds": "1"}).content.decode()
    assert "s1@example.com" in only_seeds
    assert "person1@example.org" not in only_seeds


def test_what_a_seed_address_lacks_comes_from_a_member_of_the_target() -> None:
    readers = people(5)
    Recipient.objects.update(language="fr")
    made = delivery(readers, text="{{ recipient.first_name }} {{ recipient.language }} {{ recipient.address }}")
    seeds(made, "s@example.com", first_name="Sam")

    analysed(made)

    message = Message.objects.of_delivery(made.pk).get(seed__isnull=False)
    assert made.content
    values = dict(zip(made.content.compiled["fields"], message.frozen.values, strict=True))
    assert values["recipient.first_name"] == "Sam"
    assert values["recipient.language"] == "fr"
    assert values["recipient.address"] == "s@example.com"
    assert message.recipient_id is None


def test_a_seed_address_in_quarantine_gets_nothing_and_the_journal_says_so() -> None:
    made = delivery(people(2))
    seeds(made, "s@example.com")
    quarantine.add("s@example.com", reason="Full")

    analysed(made)

    assert made.seeds == 0
    assert made.journal.filter(level=Level.WARNING, sentence__contains="s@example.com is in quarantine").exists()


def test_waves_and_parts_hold_the_seeds_too() -> None:
    made = delivery(people(10), part_size=4, waves_mode="calendar", wave_calendar="0 50%\n1d 50%")
    seeds(made, "s1@example.com", "s2@example.com")

    analysed(made)

    assert sum(made.parts.values_list("size", flat=True)) == 12


def test_an_analysis_is_stale_after_a_change_of_the_query_the_seeds_or_the_control_group() -> None:
    from deliveries.analysis.fingerprint import is_stale

    made = delivery(people(2))
    chosen = query("first_name", "filled")
    made.target_queries.add(chosen)
    seeds(made, "s@example.com")

    analysed(made)
    assert not is_stale(Delivery.objects.get(pk=made.pk))
    SeedAddress.objects.update(first_name="Sam")
    assert is_stale(Delivery.objects.get(pk=made.pk))
    analysed(made)
    chosen.definition["match"] = "any"
    chosen.save()
    assert is_stale(Delivery.objects.get(pk=made.pk))
