"""Deleting a delivery."""

import pytest

from deliveries.actions.base import ActionRefused
from deliveries.actions.delete import delete
from deliveries.models import Content, Delivery, Message, MessageValues, Part
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


def test_it_leaves_nothing_of_an_analysed_delivery():
    delete(factories.analysed(factories.delivery(factories.people(2))))

    for model in (Delivery, Content, Message, MessageValues, Part):
        assert not model.objects.exists(), model


def test_it_refuses_a_delivery_that_has_started():
    delivery = factories.confirmed(factories.delivery(factories.people(1)))

    with pytest.raises(ActionRefused, match="cannot be deleted"):
        delete(delivery)

    assert Message.objects.exists()
