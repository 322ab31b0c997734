"""Why did this person (not) get it: one screen for anybody and any delivery."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.analysis.run import analyse
from deliveries.models import (
    Archive,
    ArchiveCopy,
    CopyState,
    Delivery,
    Exclusion,
    Message,
    Part,
    SeedAddress,
    SeedGroup,
)
from deliveries.states import MessageState
from recipients import denylist, quarantine
from recipients.models import PeopleFile, PeopleFileLine, Recipient, RecipientList, SavedQuery, Service
from tests.deliveries.factories import analysed, confirmed, delivery, people

pytestmark = pytest.mark.django_db


def shown(client: Client, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_why"), query)
    assert response.status_code == 200
    return response.content.decode()


def person(number: int = 1) -> Recipient:
    return Recipient.objects.get(first_name=f"name{number}")


def message(made: Delivery, number: int = 1) -> Message:
    return Message.objects.of_delivery(made.pk).get(recipient=person(number))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.PENDING, "Not yet: the message is ready"),
        (MessageState.SENT, "Yes: the message was sent"),
        (MessageState.FAILED, "No: sending the message failed"),
        (MessageState.CANCELLED, "No: the message was cancelled"),
        (MessageState.IN_DOUBT, "Perhaps: the message was handed over"),
    ],
)
def test_it_says_what_became_of_the_message(at_marketer: Client, state: MessageState, words: str) -> None:
    made = confirmed(delivery(people(1)))
    Message.objects.filter(pk=message(made).pk).update(
        state=state, attempts=3, reply="550 5.1.1 No such <user>", processed_at="2026-05-06T07:08:09Z"
    )

    page = shown(at_marketer, address="Person1@Example.org", delivery=made.pk)

    assert words in page
    assert "550 5.1.1 No such &lt;user&gt;" in page
    assert "<dt>Attempts</dt><dd>3</dd>" in page
    assert "6 May 2026, " in page


def test_it_tells_the_wave_the_archived_copy_and_the_number(at_marketer: Client) -> None:
    made = confirmed(delivery(people(1)))
    Part.objects.filter(delivery=made).update(wave=2)
    archive = Archive.objects.create(name="Vault", stores_files=True)
    ArchiveCopy.objects.create(
        pk=message(made).pk, archive=archive, state=CopyState.ARCHIVED, noted_at=now(), next_attempt_at=now()
    )

    page = shown(at_marketer, recipient=person().pk, delivery=made.pk)

    assert "Message 1 to person1@example.org" in page
    assert "<dt>Wave</dt><dd>2</dd>" in page
    assert f"<dt>Archived copy</dt><dd>{CopyState.ARCHIVED.label}</dd>" in page


def test_it_tells_why_somebody_was_left_out(at_marketer: Client) -> None:
    readers = people(3)
    denylist.deny(person(), source="phone call")
    made = analysed(delivery(readers, control_mode="number", control_size=1))
    in_control = Exclusion.objects.get(reason="control_group").recipient_id

    denied = shown(at_marketer, recipient=person().pk, delivery=made.pk)
    control = shown(at_marketer, recipient=in_control, delivery=made.pk)

    assert "No: left out by the analysis. Denylisted: asked not to be written to." in denied
    assert "phone call" in denied
    assert f"/{made.pk}/excluded/?reason=denylisted" in denied
    assert "No: left out by the analysis. Control group: gets nothing, for comparison." in control


def test_it_names_every_segment_and_whether_it_holds_the_person(at_marketer: Client) -> None:
    file = PeopleFile.objects.create(file_name="orders.csv", state="done")
    made = delivery(people(1), target_file=file)
    PeopleFileLine.objects.create(file=file, recipient=person(), values={})
    made.target_lists.add(RecipientList.objects.create(name="Strangers"))
    named = {"match": "all", "items": [{"field": "first_name", "is": "equals", "value": "Name1"}]}
    broken = {"match": "all", "items": [{"field": "attribute.gone", "is": "filled"}]}
    made.target_queries.add(SavedQuery.objects.create(name="Named", definition=named))
    made.excluded_queries.add(SavedQuery.objects.create(name="Broken", definition=broken))

    page = shown(at_marketer, recipient=person().pk, delivery=made.pk)

    def row(name: str, effect: str, holds: str) -> bool:
        return f'<tr><th scope="row">{name}</th><td>{effect}</td><td>{holds}</td></tr>' in page

    assert row("List “Readers”", "Includes", "Yes")
    assert row("List “Strangers”", "Includes", "No")
    assert row("Query “Named”", "Includes", "Yes")
    assert row("File “orders.csv”", "Includes", "Yes")
    assert row("Query “Broken”", "Excludes", '<span class="c-bad">There is no field “attribute.gone” any more. '
               "Choose another one.</span>")  # fmt: skip


def test_it_foretells_what_an_analysis_would_do(at_marketer: Client) -> None:
    service = Service.objects.create(name="News")
    made, asking = delivery(people(2)), delivery(RecipientList.objects.get(), consent_service=service)
    quarantine.add("person2@example.org", reason="Mailbox full")
    stranger = Recipient.objects.create(address="x@example.org")

    assert "this person would get it." in shown(at_marketer, recipient=person(1).pk, delivery=made.pk)
    held = shown(at_marketer, recipient=person(2).pk, delivery=made.pk)
    assert "this person would be left out. Address in quarantine." in held
    assert "Mailbox full" in held
    assert "it does not find this person" in shown(at_marketer, recipient=stranger.pk, delivery=made.pk)
    unasked = shown(at_marketer, recipient=person(1).pk, delivery=asking.pk)
    assert "would be left out. No consent for the service." in unasked
    assert "Consent to “News”</dt><dd>No</dd>" in unasked


def test_it_knows_who_was_never_in_the_target(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))
    Recipient.objects.create(address="late@example.org")

    late = shown(at_marketer, address="late@example.org", delivery=made.pk)
    nobody = shown(at_marketer, address="nobody@example.org", delivery=made.pk)

    assert "No: not in the target when the delivery was analysed." in late
    assert "No: no recipient has this address" in nobody


def test_it_finds_the_message_to_somebody_whose_profile_is_gone(at_marketer: Client) -> None:
    made = confirmed(delivery(people(1)))
    person().delete()

    assert "Not yet: the message is ready" in shown(at_marketer, address="person1@EXAMPLE.org", delivery=made.pk)


def test_it_says_that_a_message_went_to_a_seed_address(at_marketer: Client) -> None:
    group = SeedGroup.objects.create(name="Colleagues")
    SeedAddress.objects.create(address="seed@example.com").groups.add(group)
    SeedAddress.objects.create(address="person1@example.org").groups.add(group)
    made = delivery(people(1))
    made.seed_groups.add(group)
    analysed(made)

    seed = shown(at_marketer, address="seed@example.com", delivery=made.pk)
    both = shown(at_marketer, address="person1@example.org", delivery=made.pk)

    assert "It is one to a seed address." in seed
    assert both.count('aria-labelledby="message-') == 2


def test_without_a_delivery_it_lists_all_that_know_the_person(at_marketer: Client) -> None:
    readers = people(2)
    reached = confirmed(delivery(readers, label="Reached"))
    Message.objects.filter(pk=message(reached).pk).update(state=MessageState.SENT)
    denylist.deny(person(), source="phone")
    analysed(delivery(readers, label="Denied"))
    delivery(readers, label="Untold")

    page = shown(at_marketer, address="person1@example.org")
    rows = page.split("<tbody>")[1].split("</tbody>")[0]

    assert f"?recipient={person().pk}&amp;delivery={reached.pk}" in rows
    assert f"Reached</a></th><td>{MessageState.SENT.label}</td>" in rows
    assert "Left out: Denylisted" in rows
    assert "Untold" not in rows


@pytest.mark.parametrize(
    "query",
    [
        {"recipient": "9" * 30, "delivery": "x"},
        {"recipient": "-1"},
        {"recipient": "²"},
        {"address": "\x00"},
        {"address": "a\x00@example.org", "delivery": "ONE"},
        {"address": "<script>alert(1)</script>", "delivery": "ONE"},
        {"address": "x" * 5000, "delivery": "ONE"},
        {"address": "%_\\@", "delivery": "ONE"},
    ],
)
def test_nothing_that_is_typed_breaks_it(at_marketer: Client, query: dict[str, str]) -> None:
    made = analysed(delivery(people(1)))

    page = shown(at_marketer, **{name: str(made.pk) if value == "ONE" else value for name, value in query.items()})

    assert "<script>alert" not in page


def test_a_question_to_a_large_delivery_takes_few_queries(at_marketer: Client, django_assert_max_num_queries) -> None:
    made = confirmed(delivery(people(300), part_size=10))

    with django_assert_max_num_queries(32):
        shown(at_marketer, recipient=person(250).pk, delivery=made.pk)


def test_recipients_pages_and_the_deliverys_page_lead_to_it(at_marketer: Client) -> None:
    made = delivery(people(1))
    address = reverse("admin:deliveries_delivery_why")

    recipients_page = at_marketer.get(reverse("admin:recipients_recipient_change", args=[person().pk])).content.decode()
    deliverys_page = at_marketer.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()

    assert f"{address}?recipient={person().pk}" in recipients_page
    assert f"{address}?delivery={made.pk}" in deliverys_page


def test_it_is_for_those_who_may_look_at_deliveries(at_colleague: Client, at_outsider: Client) -> None:
    assert at_colleague.get(reverse("admin:deliveries_delivery_why")).status_code == 200
    assert at_outsider.get(reverse("admin:deliveries_delivery_why")).status_code == 403


def test_it_knows_a_proof_by_its_addresses(at_marketer: Client) -> None:
    made = send_proof(delivery(people(1)), Proof(addresses=["tester@example.com"], data_of=["person1@example.org"]))
    analyse(made.pk)

    tester = shown(at_marketer, address="tester@example.com", delivery=made.pk)
    shown_person = shown(at_marketer, recipient=person().pk, delivery=made.pk)

    assert "Not yet: the message is ready" in tester
    assert "No: this is a proof" in shown_person
    assert "The target now" not in shown_person
