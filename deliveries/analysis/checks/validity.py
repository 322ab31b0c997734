"""The time in which the delivery may send."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.db import connection

from campaign.lib.clock import now
from campaign.lib.durations import spell
from campaign.lib.sql import statements
from deliveries.analysis.checks.registry import Phase, check
from deliveries.analysis.material import Material
from deliveries.chosen_route import chosen_route
from deliveries.models import CheckLevel, Delivery, DomainLimit, message_range
from deliveries.waves import Wave

SQL = statements(Path(__file__).parent.parent / "sql")


@check("End of the delivery", required=True)
def end_is_ahead(material: Material) -> Iterator[str]:
    """A delivery whose end comes before its start would send nothing."""
    delivery = material.delivery
    start = max(delivery.contact_at or now(), now())
    if delivery.ends(start) <= start:
        yield (
            "The end of the delivery comes before its start, so nothing could be sent. Choose a later date in the tab "
            "“Validity”, or an earlier contact date."
        )
    elif delivery.resources_end(start) < delivery.ends(start):
        yield (
            "The mirror pages would end before the delivery does. Choose a later end of the resources in the tab "
            "“Validity”."
        )


@check("Time to send everything", order=120, phase=Phase.MESSAGES)
def time_is_enough(material: Material) -> Iterator[str]:
    """What is left at the end of the delivery duration is cancelled."""
    delivery, route, lasts = material.delivery, chosen_route(material.delivery), _lasts(material.delivery)
    takes = _time(_waves(delivery, material.messages), route.messages_per_second)
    if route.messages_per_second and takes > lasts:
        yield (
            f"At {route.messages_per_second:g} messages per second, which is the limit of the route “{route}”, "
            f"{material.messages:,} messages take {spell(takes)}, but the delivery may send for {spell(lasts)} only. "
            "Make the delivery duration longer."
        )
    for domain, messages, rate in _limited(delivery):
        if (takes := _seconds(messages / rate)) > lasts:
            yield (
                f"At {rate:g} messages per second, the limit of {domain}, the {messages:,} messages there take "
                f"{spell(takes)}, but the delivery may send for {spell(lasts)} only. Make the delivery duration longer."
            )


@check("Time for retries", order=121, phase=Phase.MESSAGES, level=CheckLevel.INFO)
def retries_have_time(material: Material) -> Iterator[str]:
    """Servers that are busy or do not know the sender take a message at a later attempt."""
    delivery, lasts = material.delivery, _lasts(material.delivery)
    waves = _waves(delivery, material.messages)
    last = _time(waves, chosen_route(delivery).messages_per_second)
    retries = delivery.max_retries * delivery.retry_period
    if last <= lasts < last + retries:
        where = "the last wave" if len(waves) > 1 else "the last message"
        yield (
            f"After {where} {spell(max(lasts - last, timedelta()))} are left, but {delivery.max_retries} retries take "
            f"{spell(retries)}. What fails late gets fewer of them. Make the delivery duration longer."
        )


def _lasts(delivery: Delivery) -> timedelta:
    start = max(delivery.contact_at or now(), now())
    return max(delivery.ends(start) - start, timedelta())


def _waves(delivery: Delivery, messages: int) -> tuple[Wave, ...]:
    """As the delivery's properties say; one where the recipients' time zones do."""
    return (Wave(messages, timedelta()),) if delivery.contact_by_recipient else delivery.waves(messages)


def _time(waves: tuple[Wave, ...], rate: float) -> timedelta:
    """From the start to the last message, at so many a second (0: at once)."""
    end = timedelta()
    for wave in waves:
        end = max(end, wave.after) + (_seconds(wave.messages / rate) if rate else timedelta())
    return end


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(round(seconds), 3_000_000_000))


def _limited(delivery: Delivery) -> list[tuple[str, int, float]]:
    """Each domain that has a limit and messages: its name, how many, and how many a second it takes."""
    limits = dict(DomainLimit.objects.values_list("domain", "messages_per_second"))
    if not limits:
        return []
    first, last = message_range(delivery.pk)
    with connection.cursor() as cursor:
        cursor.execute(SQL["messages_by_domain"], {"first": first, "last": last, "domains": list(limits)})
        return [(domain, messages, limits[domain]) for domain, messages in cursor]
