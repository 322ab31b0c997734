import pytest
from django.test import Client

from tests.factories import recipient


def test_the_front_door_leads_to_the_administration(client: Client):
    assert client.get("/")["Location"] == "/admin/"


@pytest.mark.django_db
def test_lists_write_dates_as_other_pages_do(admin_client: Client):
    made = recipient()

    page = admin_client.get("/admin/recipients/recipient/").content.decode()

    assert f"{made.created_at:%-d %b %Y, %H:%M}" in page
