"""Whether there is time to send everything."""

from datetime import timedelta

import pytest

from deliveries.analysis.checks import validity
from deliveries.models import DomainLimit, Route, SenderDomainRoute, WavesMode
from tests.deliveries import factories
from tests.deliveries.analysis.checks import found_in_messages

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def slow_route(rate: float) -> Route:
    made = factories.route()
    made.messages_per_second = rate
    made.save()
    return made


def test_a_route_that_is_too_slow_for_the_delivery_duration_is_found():
    slow_route(0.001)

    said = found_in_messages(validity.time_is_enough, validity=HOUR, people=10)

    assert "10 messages take 2h 46m 40s, but the delivery may send for 1h only" in said


def test_the_route_is_the_one_of_the_senders_domain():
    factories.route()
    slow = Route.objects.create(name="Slow", host="127.0.0.1", messages_per_second=0.001)
    SenderDomainRoute.objects.create(domain="example.com", route=slow)

    assert "“Slow”" in found_in_messages(validity.time_is_enough, validity=HOUR, people=10)


@pytest.mark.parametrize(("hours", "is_found"), [(1, True), (2, False)])
def test_messages_of_a_late_wave_need_their_time_after_it(hours: int, is_found: bool):
    slow_route(0.005)
    said = found_in_messages(
        validity.time_is_enough,
        validity=hours * HOUR,
        people=5,
        waves_mode=WavesMode.CALENDAR,
        wave_calendar="0 1\n50m 100%",
    )

    assert (f"may send for {hours}h only" in said) is is_found


def test_a_domain_that_takes_few_messages_is_found():
    factories.route()
    DomainLimit.objects.create(domain="example.org", messages_per_second=0.001)
    DomainLimit.objects.create(domain="example.net", messages_per_second=0.001)

    said = found_in_messages(validity.time_is_enough, validity=HOUR, people=10)

    assert "the limit of example.org, the 10 messages there take 2h 46m 40s" in said
    assert "example.net" not in said


def test_without_limits_there_is_time():
    assert found_in_messages(validity.time_is_enough, validity=timedelta(minutes=1)) == ""


def test_retries_that_come_after_the_end_are_mentioned():
    said = found_in_messages(validity.retries_have_time, validity=HOUR, max_retries=5, retry_period=HOUR)

    assert "After the last message 1h are left, but 5 retries take 5h" in said


def test_the_last_wave_needs_time_for_retries_too():
    said = found_in_messages(
        validity.retries_have_time,
        waves_mode=WavesMode.CALENDAR,
        wave_calendar="0 1\n8h 100%",
        validity=10 * HOUR,
        max_retries=5,
        retry_period=HOUR,
    )

    assert "After the last wave 2h are left" in said


@pytest.mark.parametrize("retries", [0, 5])
def test_retries_that_have_time_are_fine(retries: int):
    assert found_in_messages(validity.retries_have_time, max_retries=retries, retry_period=HOUR) == ""
