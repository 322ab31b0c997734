"""The demo's steps."""

import pytest

from campaign.demo import story
from recipients.models import ListMembership, Recipient, RecipientList


@pytest.mark.django_db
def test_a_run_begins_with_nobody_on_its_list() -> None:
    reader = Recipient.objects.create(address="ann@example.com", address_key="ann@example.com")
    for name in (story.LIST, "Others"):
        ListMembership.objects.create(list=RecipientList.objects.create(name=name), recipient=reader)

    story.empty_list()

    assert list(ListMembership.objects.values_list("list__name", flat=True)) == ["Others"]
