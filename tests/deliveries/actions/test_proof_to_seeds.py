"""Proofs to seed addresses."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.actions.base import ActionRefused
from deliveries.actions.send_proof import Proof, ProofFormats, send_proof
from deliveries.analysis.run import analyse
from deliveries.models import Delivery, Message, SeedAddress, SeedGroup
from recipients import quarantine
from recipients.models import AttributeKind, Recipient
from tests.deliveries.factories import delivery, people
from tests.factories import attribute
from tests.people import at_marketer, marketer

__all__ = ["at_marketer", "marketer"]

pytestmark = pytest.mark.django_db


def group(*addresses: str, name: str = "Colleagues", **values: Any) -> SeedGroup:
    made = SeedGroup.objects.create(name=name)
    for address in addresses:
        SeedAddress.objects.create(address=address, **values).groups.add(made)
    return made


def proof_of(made: Delivery, **values: Any) -> Delivery:
    proof = send_proof(made, Proof(**values))
    analyse(proof.pk)
    proof.refresh_from_db()
    return proof


def written(proof: Delivery) -> list[dict[str, Any]]:
    """Values of each message, by field."""
    messages = Message.objects.of_delivery(proof.pk).select_related("frozen").order_by("pk")
    assert proof.content
    fields = proof.content.compiled["fields"]
    return [dict(zip(fields, message.frozen.values, strict=True)) for message in messages]


def addresses(proof: Delivery) -> list[str]:
    return list(Message.objects.of_delivery(proof.pk).order_by("pk").values_list("address", flat=True))


def test_a_seed_address_gets_the_proof_with_its_own_fields_and_the_rest_from_the_target() -> None:
    readers = people(3)
    attribute("city")
    attribute("points", AttributeKind.NUMBER)
    Recipient.objects.update(last_name="Target", attributes={"city": "Bern", "points": 7})
    text = "{{ recipient.first_name }} {{ recipient.last_name }} {{ recipient.city }} {{ recipient.points }} {{ recipient.address }}"  # noqa: E501
    made = delivery(readers, text=text)
    seeds = group("seed@example.com", first_name="Sam", attributes={"city": "", "points": 0})

    proof = proof_of(made, seed_groups=[seeds.pk])

    assert addresses(proof) == ["seed@example.com"]
    [values] = written(proof)
    assert values["recipient.first_name"] == "Sam"
    assert values["recipient.last_name"] == "Target"
    assert values["recipient.city"] == "Bern"
    assert values["recipient.points"] == 0
    assert values["recipient.address"] == "seed@example.com"


def test_a_seed_address_gets_one_message_for_each_of_the_people_whose_data_is_shown() -> None:
    made = delivery(people(3), text="{{ recipient.first_name }}")

    proof = proof_of(
        made, seed_groups=[group("seed@example.com").pk], data_of=["person1@example.org", "person3@example.org"]
    )

    assert [values["recipient.first_name"] for values in written(proof)] == ["name1", "name3"]


def test_seed_addresses_stand_beside_test_addresses_and_each_is_taken_once() -> None:
    made = delivery(people(3))
    first, second = group("seed@example.com"), group(name="Agency")
    SeedAddress.objects.get().groups.add(second)

    proof = proof_of(made, addresses=["tester@example.com"], seed_groups=[first.pk, second.pk])

    assert addresses(proof) == ["tester@example.com", "seed@example.com"]
    assert proof.proof_lines.get(number=2).seed == SeedAddress.objects.get()


def test_it_comes_in_the_format_that_the_seed_address_prefers() -> None:
    made = delivery(people(1))
    seeds = group("seed@example.com", mail_format="text")

    as_sent = proof_of(made, seed_groups=[seeds.pk])
    both = proof_of(made, seed_groups=[seeds.pk], formats=ProofFormats.BOTH)

    assert list(as_sent.proof_lines.values_list("mail_format", flat=True)) == ["text"]
    assert list(both.proof_lines.values_list("mail_format", flat=True)) == ["text", ""]


def test_a_seed_address_in_quarantine_gets_no_proof_unless_it_is_asked_for() -> None:
    made = delivery(people(1))
    seeds = group("seed@example.com")
    quarantine.add("seed@example.com", reason="Full")

    with pytest.raises(ActionRefused, match=r"Nobody would get this proof.*In quarantine: seed@example.com"):
        send_proof(made, Proof(seed_groups=[seeds.pk]))
    assert addresses(proof_of(made, seed_groups=[seeds.pk], keep_quarantined=True)) == ["seed@example.com"]


def test_a_group_with_too_many_addresses_is_refused() -> None:
    made = delivery(people(1))
    seeds = group(*(f"seed{number}@example.com" for number in range(101)))

    with pytest.raises(ActionRefused, match="101 messages"):
        send_proof(made, Proof(seed_groups=[seeds.pk]))


def test_the_page_offers_the_groups_and_remembers_them(at_marketer: Client) -> None:
    made = delivery(people(1))
    chosen, other = group("seed@example.com"), group("other@example.com", name="Agency")
    url = reverse("admin:deliveries_delivery_proof", args=[made.pk])

    assert "Colleagues" in at_marketer.get(url).content.decode()
    at_marketer.post(url, {"addresses": "tester@example.com", "seed_groups": [chosen.pk], "formats": "as_sent"})
    again = at_marketer.get(url)

    assert made.proofs.count() == 1
    assert again.context["form"].initial["addresses"] == "tester@example.com"
    assert list(again.context["form"].initial["seed_groups"]) == [chosen]
    assert other not in again.context["form"].initial["seed_groups"]
