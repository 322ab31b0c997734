"""The waves of a delivery, for people: how many there are, how large, and when each leaves."""

from datetime import datetime

from deliveries.models import Delivery
from deliveries.waves import Wave, WavesProblem


def waves_of(delivery: Delivery) -> list[Wave]:
    """The delivery's waves when there are several and they can be read."""
    try:
        waves = delivery.waves(delivery.to_send) if delivery.to_deliver and not delivery.contact_times else ()
    except WavesProblem:
        return []
    return list(waves) if len(waves) > 1 else []


def releases_of(delivery: Delivery) -> list[tuple[datetime, int | None]]:
    """When each of several waves leaves and how many messages it has; where time zones make the waves, that is not
    known without counting. Empty before the analysis, and without a start or a contact date."""
    if len(delivery.contact_times) > 1:
        return [(at, None) for at in delivery.contact_times]
    start = delivery.starts_at or delivery.contact_at
    return [(start + wave.after, wave.messages) for wave in waves_of(delivery)] if start is not None else []
