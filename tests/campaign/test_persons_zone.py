"""Times in the administration are those of whoever looks."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from deliveries.models import Delivery
from tests.deliveries.factories import delivery
from tests.people import at_colleague, colleague

__all__ = ["at_colleague", "colleague"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("zone", "shown", "named"),
    [
        ("Asia/Tokyo", "1 Jul 2031, 08:30", "Asia/Tokyo"),
        ("America/New_York", "30 Jun 2031, 19:30", "America/New_York"),
        ("", "30 Jun 2031, 23:30", "UTC"),
        ("../../etc/passwd", "30 Jun 2031, 23:30", "UTC"),
    ],
)
def test_a_time_is_shown_in_the_zone_that_the_browser_names(
    at_colleague: Client, zone: str, shown: str, named: str
) -> None:
    made = delivery()
    Delivery.objects.filter(pk=made.pk).update(created_at=datetime(2031, 6, 30, 23, 30, tzinfo=UTC))
    at_colleague.cookies["zone"] = zone

    page = at_colleague.get(f"/admin/deliveries/delivery/{made.pk}/").content.decode()

    assert f"<dt>Created</dt><dd>{shown}" in page
    assert f"Times: {named}" in page


def test_a_day_of_the_calendar_begins_at_the_persons_midnight(at_colleague: Client) -> None:
    delivery(label="Summer", contact_at=datetime(2031, 6, 30, 23, 30, tzinfo=UTC))
    at_colleague.cookies["zone"] = "Asia/Tokyo"

    july = at_colleague.get("/admin/deliveries/delivery/calendar/?month=2031-07").content.decode()

    assert "08:30</time> Summer" in july
    assert "Times are in the zone Asia/Tokyo." in july
