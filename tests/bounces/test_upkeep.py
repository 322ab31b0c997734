"""What time does to failures."""

from datetime import timedelta

import pytest

from bounces.models import UnqualifiedFailure, UnqualifiedText
from bounces.process import process
from bounces.upkeep import tidy
from campaign.lib.clock import now
from deliveries.actions.personal_data import ask_for_erasure, carry_out, person_at
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces import sent

pytestmark = pytest.mark.django_db

STRANGE = "550 5.0.0 <{address}> computer says no"


def test_errors_and_texts_are_forgotten_when_they_are_old() -> None:
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, STRANGE), source="Test")

    tidy(now() + timedelta(days=9))
    assert Quarantine.objects.get().status == QuarantineStatus.WITH_ERRORS
    assert UnqualifiedText.objects.exists()

    tidy(now() + timedelta(days=181))
    assert Quarantine.objects.get().status == QuarantineStatus.VALID
    assert not UnqualifiedText.objects.exists()
    assert not UnqualifiedFailure.objects.exists()


def test_a_text_to_qualify_forgets_the_person_who_is_erased() -> None:
    first, second = sent.messages(sent.delivered(2))
    for message in (first, second):
        process(sent.bounce(message, STRANGE), source="Test")
    address = first.address

    carry_out(ask_for_erasure(person_at(address)).pk)

    text = UnqualifiedText.objects.get()
    assert address not in text.sample
    assert list(text.failures.values_list("message_id", flat=True)) == [second.pk]
