"""Proofs."""

import pytest

from deliveries.actions.send_proof import Proof, send_proof
from deliveries.analysis.checks import proofs
from deliveries.analysis.run import analyse
from deliveries.models import Delivery, Part, ProofLine
from deliveries.models.proof import MOST_LINES
from deliveries.states import DeliveryState
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


def proof_of(made: Delivery, *, sent: bool = True) -> Delivery:
    proof = send_proof(made, Proof(addresses=["tester@example.com"]))
    analyse(proof.pk)
    if sent:
        Part.objects.filter(delivery=proof).update(sent=1)
    return proof


def said(made: Delivery) -> str:
    material = factories.material(Delivery.objects.get(pk=made.pk))
    return " ".join([*proofs.proof_was_sent(material), *proofs.proof_is_current(material)])


def test_a_delivery_without_a_proof_that_left_is_told_so():
    made = factories.delivery(factories.people(1))
    assert "No proof was sent" in said(made)

    proof_of(made, sent=False)

    assert "No proof was sent" in said(made)


def test_a_proof_of_the_present_content_is_enough_and_one_of_an_earlier_is_not():
    made = factories.delivery(factories.people(1))
    proof_of(made)
    assert said(made) == ""

    Delivery.objects.filter(pk=made.pk).update(subject="Other news")
    assert "changed after proof #1" in said(made)

    made.refresh_from_db()
    proof_of(made)
    assert said(made) == ""


def test_a_proof_needs_no_proof():
    proof = proof_of(factories.delivery(factories.people(1)))

    assert said(proof) == ""


def test_a_proof_to_more_than_a_hundred_is_an_error_however_it_came_about():
    proof = send_proof(factories.delivery(factories.people(1)), Proof(addresses=["tester@example.com"]))
    ProofLine.objects.bulk_create(
        ProofLine(proof=proof, number=number, address=f"t{number}@example.com") for number in range(2, MOST_LINES + 2)
    )

    assert analyse(proof.pk) is DeliveryState.ANALYSIS_FAILED
    assert "This proof has 101 messages; 100 are possible" in proof.journal.get(level="error").sentence


def test_a_hundred_are_allowed():
    proof = send_proof(factories.delivery(factories.people(1)), Proof(addresses=["tester@example.com"]))
    ProofLine.objects.bulk_create(
        ProofLine(proof=proof, number=number, address=f"t{number}@example.com") for number in range(2, MOST_LINES + 1)
    )

    assert list(proofs.proof_is_small(factories.material(proof))) == []
