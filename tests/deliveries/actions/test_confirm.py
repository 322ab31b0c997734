"""Confirming, and what refuses it."""

import pytest

from deliveries.actions.base import ActionRefused
from deliveries.actions.confirm import confirm
from deliveries.actions.create import create, duplicate
from deliveries.models import DeliveryTemplate, Part
from deliveries.states import DeliveryState, MoveRefused
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


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
