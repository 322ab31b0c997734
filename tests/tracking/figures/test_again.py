"""Counting a delivery's figures again."""

from datetime import timedelta

import pytest

from campaign.lib.clock import now
from deliveries.models import Delivery
from tests.tracking.reports.seen import seen
from tracking.figures.again import count_again, why_not
from tracking.figures.models import EventTally, LogTally

pytestmark = pytest.mark.django_db


def kept(made: Delivery) -> tuple[list, list]:
    events = EventTally.objects.filter(delivery_id=made.pk).order_by("dimension", "key")
    log = LogTally.objects.filter(delivery_id=made.pk).order_by("domain", "hour", "state")
    return list(events.values_list("dimension", "key", "opens", "clicked")), list(log.values_list("state", "count"))


def test_it_mends_sums_that_went_wrong() -> None:
    made = seen()
    right = kept(made)
    EventTally.objects.filter(delivery_id=made.pk).update(opens=99)
    LogTally.objects.filter(delivery_id=made.pk).update(count=99)

    count_again(made.pk)

    assert kept(made) == right


def test_it_leaves_figures_alone_whose_log_is_gone(settings) -> None:
    made = seen()
    settings.KEEP_EVENTS = timedelta(hours=1)
    EventTally.objects.filter(delivery_id=made.pk).update(opens=99)
    wrong = kept(made)

    count_again(made.pk)

    assert kept(made) == wrong
    settings.KEEP_EVENTS = None
    assert why_not(made) == ""
    made.log_purged_at = now()
    assert "log was deleted" in why_not(made)
