"""The dictionary of user agents."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from campaign.lib.clock import now
from tests.deliveries.sending.sessions import until_somebody_waits
from tracking import user_agents
from tracking.identity import event_id
from tracking.models import Device, Event, EventKind, UserAgent

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


def test_each_has_one_row_with_what_it_says_of_itself() -> None:
    first = user_agents.rows_of([PHONE, PHONE])[PHONE]
    second = user_agents.rows_of([PHONE])[PHONE]

    assert first.pk == second.pk
    assert (first.device, first.system, first.is_machine) == (Device.PHONE, "iOS", False)


def test_who_sends_a_new_one_with_every_request_keeps_nobody_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_agents, "MOST_NEW", 3)
    made_up = [f"Made-up/{number}" for number in range(10)]

    rows = user_agents.rows_of(made_up)

    assert UserAgent.objects.count() == 3
    assert set(rows) >= set(made_up)
    assert rows["Made-up/9"].text == ""


def aged(text: str, age: timedelta) -> UserAgent:
    """A user agent that came so long ago."""
    row = user_agents.rows_of([text])[text]
    UserAgent.objects.filter(pk=row.pk).update(seen_at=now() - age)
    return row


def test_those_that_no_event_names_any_more_go_some_at_a_time() -> None:
    for number in range(3):
        aged(f"Old/{number}", timedelta(days=40))
    aged("New/1", timedelta(days=29))

    deleted = [user_agents.forget_unused(now() - timedelta(days=30), 2) for _ in range(3)]

    assert deleted == [2, 1, 0]
    assert set(UserAgent.objects.values_list("text", flat=True)) == {"", "New/1"}


def test_none_goes_while_events_from_before_are_there() -> None:
    at = now() - timedelta(days=40)
    agent = aged("Old/1", timedelta(days=40))
    Event.objects.create(
        id=event_id(int(at.timestamp() * 1000), 1), message_id=1, content_id=1, at=at, user_agent=agent,
        kind=EventKind.OPEN,
    )  # fmt: skip

    assert user_agents.forget_unused(now() - timedelta(days=30), 100) == 0
    assert user_agents.forget_unused(now() - timedelta(days=41), 100) == 0
    Event.objects.all().delete()
    assert user_agents.forget_unused(now() - timedelta(days=30), 100) == 1


def test_one_that_comes_again_stays(django_assert_num_queries) -> None:
    aged("Reader/1", timedelta(days=40))

    user_agents.rows_of(["Reader/1"])
    with django_assert_num_queries(1):
        user_agents.rows_of(["Reader/1"])

    assert user_agents.forget_unused(now() - timedelta(days=30), 100) == 0


@pytest.mark.django_db(transaction=True)
def test_one_that_comes_while_it_is_deleted_is_made_anew() -> None:
    old = aged("Reader/1", timedelta(days=40))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert user_agents.forget_unused(now() - timedelta(days=30), 100) == 1
            coming = pool.submit(in_another_session, user_agents.rows_of, ["Reader/1"])
            until_somebody_waits()
        row = coming.result(60)["Reader/1"]

    assert row.pk != old.pk
    assert UserAgent.objects.filter(pk=row.pk).exists()


def in_another_session(act: Callable[[list[str]], dict[str, UserAgent]], texts: list[str]) -> dict[str, UserAgent]:
    try:
        return act(texts)
    finally:
        connection.close()


def test_it_takes_three_queries_at_most(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(3):
        user_agents.rows_of(["One/1", "Two/2"])
