"""Confirming, and what refuses it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.actions.cancel_start import cancel_start
from deliveries.actions.confirm import confirm, named, warnings_of
from deliveries.actions.create import create, duplicate
from deliveries.actions.send_back import send_back
from deliveries.models import AuditLine, Delivery, DeliveryTemplate, Part
from deliveries.sending.schedule import start_due
from deliveries.states import DeliveryState, MoveRefused
from recipients.models import RecipientList
from tests.deliveries import factories
from tests.people import marketer

__all__ = ["marketer"]

pytestmark = pytest.mark.django_db


def test_a_later_start_is_told_as_clocks_of_its_zone_show_it_and_is_no_wave():
    tokyo = ZoneInfo("Asia/Tokyo")
    at = datetime(now().year + 1, 1, 5, 9, tzinfo=tokyo)

    made = factories.confirmed(factories.delivery(factories.people(2), contact_at=at, contact_zone=tokyo.key))

    assert made.state_note == f"The start is scheduled for 5 Jan {at.year}, 09:00 JST."
    said = " ".join(made.journal.values_list("sentence", flat=True))
    assert f"they leave from 5 Jan {at.year}, 09:00 JST on." in said
    assert "Wave" not in said


def test_it_starts_a_delivery_that_is_ready():
    delivery = factories.confirmed(factories.delivery(factories.people(2)))

    assert delivery.current_state is DeliveryState.IN_PROGRESS
    assert delivery.started_at is not None


def test_it_refuses_a_delivery_whose_content_changed_since():
    delivery = factories.analysed(factories.delivery(factories.people(2)))
    delivery.html += "<p>One more thing</p>"
    delivery.save()

    with pytest.raises(ActionRefused, match="analyse again"):
        confirm(delivery)

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.EDITING


def test_it_refuses_a_delivery_that_was_not_analysed():
    with pytest.raises(MoveRefused):
        confirm(factories.delivery(factories.people(1)))


def test_it_refuses_the_second_confirmation():
    delivery = factories.confirmed(factories.delivery(factories.people(1)))

    with pytest.raises(MoveRefused):
        confirm(delivery)

    assert Part.objects.filter(delivery=delivery).count() == 1


def test_it_refuses_what_was_analysed_again_after_the_person_looked():
    looked_at = factories.analysed(factories.unchecked(factories.delivery(factories.people(2))))
    factories.people(3, on="Others", first=10)
    looked_at.target_lists.add(RecipientList.objects.get(name="Others"))
    factories.analysed(Delivery.objects.get(pk=looked_at.pk))
    looked_at.fingerprint = Delivery.objects.get(pk=looked_at.pk).fingerprint

    with pytest.raises(ActionRefused, match="changed or analysed again after you looked at it"):
        confirm(looked_at)

    assert Delivery.objects.get().current_state is DeliveryState.READY


def test_it_refuses_a_page_that_shows_another_contact_date():
    made = factories.analysed(factories.unchecked(factories.delivery(factories.people(2))))
    seen = made.updated_at
    made.contact_at = now() + timedelta(days=1)
    made.save()

    with pytest.raises(ActionRefused, match="changed or analysed again after you looked at it"):
        confirm(made, seen=seen)
    confirm(made, seen=made.updated_at)

    assert made.current_state is DeliveryState.START_PENDING


def test_it_keeps_in_the_audit_trail_who_acknowledged_what(marketer: User):
    made = factories.analysed(factories.delivery(factories.people(2)))
    warnings = warnings_of(made)

    with pytest.raises(ActionRefused, match="acknowledge each warning"):
        confirm(made, acknowledged=[line.pk for line in warnings[1:]], by=marketer)
    confirm(made, acknowledged=[line.pk for line in warnings], by=marketer)

    kept = AuditLine.objects.filter(delivery=made, user_name="marketer").values_list("sentence", flat=True)
    assert {f"Acknowledged {named(line)}" for line in warnings} <= set(kept)


def test_a_start_is_cancelled_until_the_first_message_may_leave():
    made = factories.confirmed(factories.delivery(factories.people(2), contact_at=now() + timedelta(hours=1)))

    cancel_start(made)

    assert made.current_state is DeliveryState.READY
    assert (made.starts_at, made.valid_until, made.resources_until) == (None, None, None)
    assert not made.parts.exclude(not_before=None).exists()
    factories.accepted(made)
    start_due(now() + timedelta(hours=2))
    with pytest.raises(MoveRefused):
        cancel_start(Delivery.objects.get(pk=made.pk))


def test_it_is_sent_back_with_a_reason_and_needs_another_analysis(marketer: User):
    made = factories.analysed(factories.delivery(factories.people(2)))

    with pytest.raises(ActionRefused, match="Say what is to be changed"):
        send_back(made, comment=" \n ", by=marketer)
    send_back(made, comment="The price\nis wrong", by=marketer)

    assert made.current_state is DeliveryState.EDITING
    assert made.state_note == "Sent back for changes: The price is wrong"
    with pytest.raises(MoveRefused):
        confirm(made)


def test_it_creates_a_delivery_as_a_copy_of_its_template():
    template = DeliveryTemplate.objects.get(label="Newsletter")

    delivery = create(template, label="May")
    DeliveryTemplate.objects.update(subject="Changed later")

    assert delivery.label == "May"
    assert delivery.html == template.html
    delivery.refresh_from_db()
    assert delivery.subject == template.subject


def test_it_duplicates_content_properties_and_target_but_no_run():
    delivery = factories.confirmed(factories.delivery(factories.people(1)))

    copy = duplicate(delivery)

    assert copy.current_state is DeliveryState.EDITING
    assert list(copy.target_lists.all()) == list(delivery.target_lists.all())
    assert copy.content is None
    assert not copy.parts.exists()
