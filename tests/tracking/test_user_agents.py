"""The dictionary of user agents."""

import pytest

from tracking import user_agents
from tracking.models import Device, UserAgent

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


def test_it_takes_three_queries_at_most(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(3):
        user_agents.rows_of(["One/1", "Two/2"])
