"""The sums over the delivery log equal the log, and are brought along when it changes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.db.models import Sum

from campaign.lib.clock import now
from deliveries.models import Delivery, Message, Part
from deliveries.sending import outcomes
from deliveries.sending.verdict import FailureType, Reason, Verdict
from deliveries.states import DeliveryState, MessageState
from tests.deliveries import factories
from tests.deliveries.sending.sessions import until_somebody_waits
from tracking.figures import log
from tracking.figures.models import LogCount, LogTally

pytestmark = pytest.mark.django_db


def running(count: int = 4) -> Delivery:
    delivery = factories.analysed(factories.delivery(factories.people(count)))
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.IN_PROGRESS, started_at=now())
    delivery.refresh_from_db()
    return delivery


def fail(message: Message, reason: int) -> None:
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.FAILED, failure_type="hard", reason=reason, processed_at=now()
    )
    Part.objects.filter(delivery_id=message.delivery_id).update(failed=1)


def test_it_adds_up_messages_by_domain_state_and_reason() -> None:
    delivery = running()
    message = Message.objects.of_delivery(delivery.pk).order_by("pk")[0]
    fail(message, 1)

    assert log.count_logs(now()) == 1

    rows = LogTally.objects.filter(delivery_id=delivery.pk, hour=None)
    assert {(row.domain, row.state, row.failure_type, row.reason, row.count) for row in rows} == {
        ("example.org", MessageState.FAILED, "hard", 1, 1),
        ("example.org", MessageState.PENDING, "", 0, 3),
    }
    by_hour = LogTally.objects.get(delivery_id=delivery.pk, hour__isnull=False)
    assert (by_hour.state, by_hour.count) == (MessageState.FAILED, 1)


def test_it_adds_up_again_what_changed_and_is_due_and_nothing_else() -> None:
    delivery = running()
    first, second = Message.objects.of_delivery(delivery.pk).order_by("pk")[:2]
    fail(first, 1)
    log.count_logs(now())

    assert log.count_logs(now() + timedelta(minutes=1)) == 0  # nothing changed
    fail(second, 5)
    Part.objects.filter(delivery_id=delivery.pk).update(failed=2)
    assert log.count_logs(now()) == 0  # not due yet
    assert log.count_logs(now() + timedelta(minutes=1)) == 1
    failed = LogTally.objects.filter(delivery_id=delivery.pk, hour=None, state=MessageState.FAILED)
    assert failed.aggregate(Sum("count"))["count__sum"] == 2


def test_it_keeps_the_largest_domains_and_adds_the_rest_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "DOMAINS", 1)
    delivery = running()
    message = Message.objects.of_delivery(delivery.pk).order_by("pk")[0]
    Message.objects.filter(pk=message.pk).update(address="a@Small.example")

    log.count_log(delivery, "")

    rows = LogTally.objects.filter(delivery_id=delivery.pk, hour=None).values_list("domain", "count")
    assert set(rows) == {("example.org", 3), ("", 1)}


def test_it_knows_how_many_messages_have_no_pixel() -> None:
    delivery = running()

    log.count_log(delivery, "")

    assert LogCount.objects.get(pk=delivery.pk).text_only == 0


def test_it_adds_up_again_what_a_new_rule_judges_anew() -> None:
    delivery = running()
    message = Message.objects.of_delivery(delivery.pk).order_by("pk")[0]
    fail(message, 3)
    log.count_logs(now())

    outcomes.judge_again([message.pk], Verdict(FailureType.HARD, Reason.USER_UNKNOWN))

    assert log.count_logs(now()) == 1
    failed = LogTally.objects.get(delivery_id=delivery.pk, hour=None, state=MessageState.FAILED)
    assert (failed.failure_type, failed.reason) == ("hard", Reason.USER_UNKNOWN)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_log_that_is_added_up_while_a_rule_judges_it_anew_has_the_new_reasons(is_known: bool) -> None:
    factories.builtin_blocks()
    delivery = running()
    message = Message.objects.of_delivery(delivery.pk).order_by("pk")[0]
    fail(message, 3)
    if is_known:
        log.count_log(delivery, "")

    def elsewhere() -> None:
        try:
            log.count_log(delivery, log.stamp_of(delivery.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            outcomes.judge_again([message.pk], Verdict(FailureType.HARD, Reason.USER_UNKNOWN))
            adding_up = pool.submit(elsewhere)
            until_somebody_waits()
        adding_up.result(60)
    log.count_logs(now())

    failed = LogTally.objects.get(delivery_id=delivery.pk, hour=None, state=MessageState.FAILED)
    assert (failed.failure_type, failed.reason) == ("hard", Reason.USER_UNKNOWN)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_add_a_log_up_at_once_count_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.builtin_blocks()
    delivery = running()
    barrier = threading.Barrier(2)

    def meet(_: Delivery) -> int:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(0.5)
        return 0

    monkeypatch.setattr(log, "_text_messages", meet)

    def one() -> None:
        try:
            log.count_log(delivery, "")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert LogTally.objects.filter(delivery_id=delivery.pk, hour=None).aggregate(Sum("count"))["count__sum"] == 4
