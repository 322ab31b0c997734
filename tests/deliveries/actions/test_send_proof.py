"""Proofs: to whom, with whose data, in which formats, and what they never touch."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from deliveries.actions.base import ActionRefused
from deliveries.actions.create import duplicate
from deliveries.actions.send_proof import Proof, ProofFormats, send_proof
from deliveries.analysis.run import analyse
from deliveries.models import Archive, AuditLine, Delivery, Message
from deliveries.pages.progress import progress_of
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState
from deliveries.tasks import analyse_delivery
from recipients import denylist, quarantine
from recipients.models import Recipient
from tests.deliveries.factories import analysed, confirmed, delivery, people, route, send
from tests.people import marketer
from tests.smtp_sink import SinkThread

__all__ = ["marketer"]

pytestmark = pytest.mark.django_db

TESTER = "tester@example.com"


def ready(proof: Delivery) -> Delivery:
    analyse(proof.pk)
    proof.refresh_from_db()
    return proof


def shown(proof: Delivery) -> list[tuple[str, Any]]:
    """Address and first name shown, message by message."""
    ready(proof)
    messages = Message.objects.of_delivery(proof.pk).select_related("frozen").order_by("pk")
    assert proof.content
    place = proof.content.compiled["fields"].index("recipient.first_name")
    return [(message.address, message.frozen.values[place]) for message in messages]


def test_it_shows_each_tester_the_data_of_each_of_the_chosen_people() -> None:
    made = delivery(people(3))

    proof = send_proof(made, Proof(addresses=[TESTER], data_of=["person1@example.org", "person3@example.org"]))

    assert shown(proof) == [(TESTER, "name1"), (TESTER, "name3")]


def test_it_shows_somebody_of_the_target_when_nobody_is_chosen() -> None:
    made = delivery(people(3))
    Recipient.objects.create(address="other@example.org", first_name="Stranger")

    [(address, name)] = shown(send_proof(made, Proof(addresses=[TESTER])))

    assert address == TESTER
    assert name in {"name1", "name2", "name3"}


def test_people_on_a_list_get_their_own_data() -> None:
    made, colleagues = delivery(people(1)), people(2, on="Colleagues", first=20)

    proof = send_proof(made, Proof(lists=[colleagues.pk]))

    assert shown(proof) == [("person20@example.org", "name20"), ("person21@example.org", "name21")]


def test_proofs_are_numbered_and_say_so_before_the_subject() -> None:
    made = delivery(people(1))

    first, second = (send_proof(made, Proof(addresses=[TESTER])) for _ in range(2))

    assert [one.subject.partition(":")[0] for one in (first, second)] == ["Proof #1", "Proof #2"]
    assert (second.proof_of, second.proof_number, second.label) == (made, 2, "Proof #2 of Spring news")


@pytest.mark.parametrize(
    ("formats", "written"),
    [(ProofFormats.AS_SENT, [""]), (ProofFormats.TEXT, ["text"]), (ProofFormats.BOTH, ["text", ""])],
)
def test_it_comes_in_the_formats_that_are_asked_for(formats: ProofFormats, written: list[str]) -> None:
    made = delivery(people(1), mail_formats="both")

    proof = send_proof(made, Proof(addresses=[TESTER], formats=formats))

    assert list(proof.proof_lines.values_list("mail_format", flat=True)) == written


def test_two_messages_to_an_address_count_twice_against_the_most_a_proof_may_have() -> None:
    made = delivery(people(1))
    testers = [f"tester{number}@example.com" for number in range(51)]

    with pytest.raises(ActionRefused, match="This proof has 102 messages; 100 are possible"):
        send_proof(made, Proof(addresses=testers, formats=ProofFormats.BOTH))
    assert send_proof(made, Proof(addresses=testers)).proof_lines.count() == 51


def test_it_has_exclusion_rules_of_its_own() -> None:
    made = delivery(people(1))
    denylist.deny(Recipient.objects.get(), source="phone")
    quarantine.add("full@example.com", reason="Full")
    to = ["person1@example.org", "full@example.com", TESTER, TESTER]

    usual = send_proof(made, Proof(addresses=to, data_of=["person1@example.org"]))
    strict = send_proof(made, Proof(addresses=to, data_of=["person1@example.org"], keep_denylisted=False))
    lax = send_proof(
        made,
        Proof(addresses=to, data_of=["person1@example.org"], keep_quarantined=True, keep_duplicates=True),
    )

    def addresses(proof: Delivery) -> list[str]:
        return list(proof.proof_lines.values_list("address", flat=True))

    assert addresses(usual) == ["person1@example.org", TESTER]
    assert addresses(strict) == [TESTER]
    assert addresses(lax) == to
    said = set(AuditLine.objects.filter(delivery=strict).values_list("sentence", flat=True))
    assert {"In quarantine: full@example.com.", "Denylisted: person1@example.org.", "1 lines are there twice."} <= said


def test_it_is_archived_only_when_it_is_asked_for() -> None:
    archive = Archive.objects.create(name="Vault", stores_files=True)
    made = delivery(people(1), archive=archive, archive_emails=True)

    silent = send_proof(made, Proof(addresses=[TESTER]))
    kept = send_proof(made, Proof(addresses=[TESTER], archive=True))

    assert (silent.archive_emails, silent.archive) == (False, None)
    assert (kept.archive_emails, kept.archive) == (True, archive)


def test_it_leaves_at_once_and_counts_in_no_figure_of_its_delivery(worker: Worker, smtp_sink: SinkThread) -> None:
    route(smtp_sink.port)
    made = analysed(delivery(people(2)))
    proof = send_proof(made, Proof(addresses=[TESTER]))

    analyse_delivery(proof.pk)
    send(worker, proof)

    assert proof.current_state is DeliveryState.FINISHED
    [mail] = smtp_sink.messages
    assert b"Subject: Proof #1: News for" in mail.data
    made.refresh_from_db()
    assert made.current_state is DeliveryState.READY
    figures = progress_of([made])[made.pk]
    assert (figures.to_deliver, figures.sent) == (2, 0)
    assert not Message.objects.of_delivery(proof.pk).filter(recipient__isnull=False).exists()
    assert list(Delivery.objects.main()) == [made]


@pytest.mark.parametrize(
    ("proof", "sentence"),
    [
        (Proof(), "Nobody would get this proof"),
        (Proof(addresses=["nonsense"]), "“nonsense” cannot get a proof"),
        (Proof(addresses=[TESTER], data_of=["unknown@example.org"]), "No recipient has the address “unknown@"),
        (Proof(addresses=[TESTER], archive=True), "There is no archive yet"),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(proof: Proof, sentence: str) -> None:
    made = delivery(people(1))

    with pytest.raises(ActionRefused, match=sentence):
        send_proof(made, proof)

    assert Delivery.objects.count() == 1


def test_a_subject_without_room_for_the_number_is_refused() -> None:
    longest = Delivery._meta.get_field("subject").max_length or 0
    made = delivery(people(1), subject="x" * longest)

    with pytest.raises(ActionRefused, match="too long for “Proof #1”"):
        send_proof(made, Proof(addresses=[TESTER]))


def test_there_is_no_proof_of_a_proof_and_none_of_what_runs() -> None:
    made = delivery(people(1))
    proof = send_proof(made, Proof(addresses=[TESTER]))

    with pytest.raises(ActionRefused, match="This is a proof itself"):
        send_proof(ready(proof), Proof(addresses=[TESTER]))
    with pytest.raises(ActionRefused, match="nothing left to try out"):
        send_proof(confirmed(delivery(people(1, first=30))), Proof(addresses=[TESTER]))
    with pytest.raises(ActionRefused, match="This is a proof"):
        duplicate(proof)


def test_whoever_may_not_start_the_delivery_may_send_proofs_of_it(marketer: User) -> None:
    made = delivery(people(1), created_by=marketer)
    made.reviewers.add(User.objects.create_user("reviewer"))

    proof = send_proof(made, Proof(addresses=[TESTER]), by=marketer)
    analyse_delivery(proof.pk)

    assert Delivery.objects.get(pk=proof.pk).current_state is DeliveryState.IN_PROGRESS
