from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from deliveries.actions.confirm import warnings_of
from deliveries.models import Delivery, WavesMode
from deliveries.pages.acts import ACTS
from deliveries.sending.parts import finish_deliveries
from deliveries.states import DeliveryState, PartState
from tests.deliveries.factories import analysed, confirmed, delivery, people, route
from tests.people import logged_in


def act(client: Client, made: Delivery, name: str, **answer: Any) -> Any:
    return client.post(reverse("admin:deliveries_delivery_act", args=[made.pk, name]), answer)


def all_read(made: Delivery) -> list[int]:
    """The warnings of the last analysis, as a person ticks them."""
    return [line.pk for line in warnings_of(made)]


def ask(client: Client, made: Delivery, name: str) -> Any:
    return client.get(reverse("admin:deliveries_delivery_question", args=[made.pk, name]))


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def state(made: Delivery) -> DeliveryState:
    return Delivery.objects.get(pk=made.pk).current_state


def test_the_question_of_a_delivery_in_waves_says_that_only_the_first_one_leaves_now(at_marketer: Client) -> None:
    waves = {"waves_mode": WavesMode.EQUAL, "wave_size": "40%", "wave_interval": timedelta(hours=2)}
    made = analysed(delivery(people(10), **waves))

    page = " ".join(ask(at_marketer, made, "confirm").content.decode().split())

    assert "<dt>Waves</dt><dd>3, the first of 4; the last leaves 4h after the first</dd>" in page
    assert "The first wave leaves at once" in page
    assert "Send 10 messages in 3 waves" in page


def test_it_asks_for_an_analysis(at_marketer: Client) -> None:
    made = delivery(people(1))

    act(at_marketer, made, "analyse")

    assert state(made) is DeliveryState.ANALYSING


def test_it_names_messages_and_route_before_it_confirms(at_marketer: Client) -> None:
    route()
    made = analysed(delivery(people(3)))

    page = ask(at_marketer, made, "confirm").content.decode()

    assert "Send 3 messages?" in page
    assert "Test" in page
    assert state(made) is DeliveryState.READY


def test_it_confirms_pauses_resumes_and_stops(at_marketer: Client, marketer: User) -> None:
    made = analysed(delivery(people(3)))

    seen = []
    for name in ("confirm", "pause", "resume", "stop"):
        act(at_marketer, made, name, acknowledged=all_read(made))
        seen.append(state(made))

    assert seen == [
        DeliveryState.IN_PROGRESS,
        DeliveryState.PAUSED,
        DeliveryState.IN_PROGRESS,
        DeliveryState.STOPPED,
    ]
    assert set(made.journal.filter(user=marketer).values_list("sentence", flat=True)) >= {"Paused.", "Resumed."}


def test_it_does_not_ask_about_what_cannot_be_done(at_marketer: Client) -> None:
    made = delivery()

    response = ask(at_marketer, made, "confirm")

    assert response["Location"] == reverse("admin:deliveries_delivery_dashboard", args=[made.pk])
    assert said(response) == ["The delivery is “Being edited”: analyse it first."]


def test_it_refuses_to_send_what_has_changed_since_the_analysis(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))
    Delivery.objects.filter(pk=made.pk).update(subject="Another")

    response = act(at_marketer, made, "confirm")

    assert "analyse again before confirming" in said(response)[0]
    assert state(made) is DeliveryState.EDITING


def test_it_says_why_a_move_is_refused(at_marketer: Client) -> None:
    response = act(at_marketer, delivery(), "pause")

    assert said(response) == ["A delivery that is “Being edited” cannot become “Paused”."]


def test_it_says_that_nothing_has_failed(at_marketer: Client) -> None:
    response = act(at_marketer, confirmed(delivery(people(1))), "retry_failed")

    assert "nothing to retry" in said(response)[0]


def test_it_leads_to_the_copy(at_marketer: Client) -> None:
    made = delivery(people(1))

    response = act(at_marketer, made, "duplicate")

    copy = Delivery.objects.exclude(pk=made.pk).get()
    assert response["Location"] == reverse("admin:deliveries_delivery_dashboard", args=[copy.pk])
    assert list(copy.target_lists.all()) == list(made.target_lists.all())


@pytest.mark.parametrize("name", ACTS)
def test_it_lets_nobody_act_who_may_not_change(at_colleague: Client, at_outsider: Client, name: str) -> None:
    made = delivery(people(1))

    assert [act(client, made, name).status_code for client in (at_colleague, at_outsider)] == [403, 403]
    assert state(made) is DeliveryState.EDITING


@pytest.mark.parametrize("name", ACTS)
def test_it_does_nothing_on_a_get(at_marketer: Client, name: str) -> None:
    made = delivery(people(1))

    assert at_marketer.get(reverse("admin:deliveries_delivery_act", args=[made.pk, name])).status_code == 405
    assert state(made) is DeliveryState.EDITING


def test_it_does_nothing_without_a_csrf_token(marketer: User) -> None:
    made = delivery(people(1))
    client = Client(enforce_csrf_checks=True)
    client.cookies = logged_in(marketer).cookies

    assert act(client, made, "analyse").status_code == 403
    assert state(made) is DeliveryState.EDITING


def test_it_does_not_know_other_acts(at_marketer: Client) -> None:
    made = delivery()

    assert act(at_marketer, made, "explode").status_code == 404
    assert ask(at_marketer, made, "pause").status_code == 404


def test_it_repeats_the_analysis_warnings_before_it_confirms(at_marketer: Client) -> None:
    made = analysed(delivery(people(4), html="<p>{{ 1 / (recipient.first_name|length - 5) }}</p>"))

    page = ask(at_marketer, made, "confirm").content.decode()

    assert "4 of the 4 messages tried (100 %) cannot be made, such as the one to person1@example.org" in page
    assert "Readers" in page
    assert "news@example.com" in page


def test_a_finished_delivery_with_failures_says_so(at_marketer: Client) -> None:
    made = confirmed(delivery(people(4)))
    made.parts.update(sent=3, failed=1, state=PartState.DONE)
    finish_deliveries()

    page = at_marketer.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()

    assert "Finished, 1 failed" in page
    assert "--good: 75%" in page
    assert "Delivery finished: 3 sent, 1 failed." in page
