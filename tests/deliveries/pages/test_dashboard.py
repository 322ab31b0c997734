from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from campaign.lib.clock import now
from deliveries.actions.analyse import analyse
from deliveries.actions.control import pause, stop
from deliveries.actions.delete import delete
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.models import (
    Delivery,
    Exclusion,
    ExclusionReason,
    Level,
    Part,
    Priority,
    Route,
    WavesMode,
    message_range,
)
from deliveries.moves import write_journal
from deliveries.rights import Rights
from deliveries.sending import throttle
from deliveries.sending.throttle import FEWEST_COMPLAINTS, Throttle
from deliveries.states import DeliveryState, PartState
from tests.deliveries.factories import analysed, confirmed, delivery, people


def url(made: Delivery, name: str = "dashboard") -> str:
    return reverse(f"admin:deliveries_delivery_{name}", args=[made.pk])


def shown(client: Client, made: Delivery) -> str:
    response = client.get(url(made))
    assert response.status_code == 200
    return response.content.decode()


def test_it_offers_the_analysis_of_a_delivery_being_edited(at_marketer: Client) -> None:
    page = shown(at_marketer, delivery())

    assert "Being edited" in page
    assert "do/analyse/" in page
    assert "ask/confirm/" not in page


def test_it_offers_to_confirm_what_is_ready(at_marketer: Client) -> None:
    page = shown(at_marketer, analysed(delivery(people(3))))

    assert "Ready to be delivered" in page
    assert "ask/confirm/" in page
    assert "3 messages are ready" in page


def test_it_offers_to_pause_and_to_stop_what_runs(at_marketer: Client) -> None:
    page = shown(at_marketer, confirmed(delivery(people(3))))

    assert "do/pause/" in page
    assert "ask/stop/" in page
    assert "do/retry_failed/" not in page


def test_it_offers_to_retry_once_something_has_failed(at_marketer: Client) -> None:
    made = confirmed(delivery(people(3)))
    Part.objects.filter(delivery=made).update(failed=1)

    assert "do/retry_failed/" in shown(at_marketer, made)


def test_a_proof_that_nobody_sent_does_not_count_as_done(at_marketer: Client) -> None:
    page = shown(at_marketer, confirmed(delivery(people(1))))

    steps = page.partition('class="c-steps"')[2].partition("</ol>")[0].split("<li")[1:]
    proof = next(step for step in steps if "Proof" in step)
    assert "Left out" in proof
    assert ", done" not in proof
    assert [", done" in step for step in steps] == [True, True, False, True, True, False]
    assert 'aria-current="step"' in steps[-1]


def test_it_says_that_an_analysis_no_longer_fits(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))
    Delivery.objects.filter(pk=made.pk).update(subject="Another subject")

    page = shown(at_marketer, made)
    assert "Content or target changed after the analysis" in page
    assert "Confirm delivery" not in page


def test_it_sums_parts_and_counts_no_message(at_marketer: Client, django_assert_max_num_queries) -> None:
    made = confirmed(delivery(people(3)))
    Part.objects.filter(delivery=made).update(sent=2, in_doubt=1)

    with django_assert_max_num_queries(15) as captured:
        page = shown(at_marketer, made)

    assert "3 of 3 processed (100 %)" in page
    assert not [query for query in captured if "deliveries_message" in query["sql"]]


def test_it_shows_exclusions_by_reason(at_marketer: Client) -> None:
    made = delivery()
    Exclusion.objects.create(delivery=made, recipient_id=1, reason=ExclusionReason.DENYLISTED)

    assert ExclusionReason.DENYLISTED.label in shown(at_marketer, made)


def test_it_escapes_what_a_server_or_an_author_wrote(at_marketer: Client) -> None:
    made = delivery(label="<script>alert(1)</script>", subject="<script>alert(2)</script>")
    write_journal(made.pk, "<script>alert(3)</script>", level=Level.ERROR)

    page = shown(at_marketer, made)

    assert "<script>alert(" not in page
    assert "&lt;script&gt;alert(3)" in page


def test_it_shows_a_colleague_everything_but_the_buttons(at_colleague: Client) -> None:
    page = shown(at_colleague, delivery())

    assert "do/analyse/" not in page
    assert "View content" in page


@pytest.mark.parametrize("name", ["dashboard", "progress", "preview", "log"])
def test_it_is_closed_to_outsiders(at_outsider: Client, name: str) -> None:
    assert at_outsider.get(url(delivery(), name)).status_code == 403


def test_it_does_not_know_a_delivery_that_is_not_there(at_marketer: Client) -> None:
    assert at_marketer.get("/admin/deliveries/delivery/99999/").status_code == 404


def polled(client: Client, made: Delivery, state: DeliveryState):
    return client.get(url(made, "progress"), {"state": int(state)}, headers={"HX-Request": "true"})


def test_it_is_polled_while_something_moves(at_marketer: Client) -> None:
    made = delivery(people(1))
    analyse(made)

    response = polled(at_marketer, made, DeliveryState.ANALYSING)

    assert response.status_code == 200
    assert "hx-get" in response.content.decode()


def test_it_ends_polling_when_nothing_moves(at_marketer: Client) -> None:
    response = polled(at_marketer, delivery(), DeliveryState.EDITING)

    assert response.status_code == 286
    assert "hx-get" not in response.content.decode()


@pytest.mark.parametrize("act", [pause, stop])
def test_it_is_polled_until_what_was_on_the_wire_is_recorded(act: Callable[..., None], at_marketer: Client) -> None:
    made = confirmed(delivery(people(2)))
    made.parts.update(state=PartState.CLAIMED)
    act(made)
    made.refresh_from_db()

    assert "every 2s" in shown(at_marketer, made)
    assert polled(at_marketer, made, made.current_state).status_code == 200

    made.parts.update(state=PartState.DONE)

    assert "every 2s" not in shown(at_marketer, made)
    assert polled(at_marketer, made, made.current_state).status_code == 286


def test_it_asks_for_the_whole_page_when_the_state_has_changed(at_marketer: Client) -> None:
    response = polled(at_marketer, delivery(), DeliveryState.ANALYSING)

    assert response["HX-Refresh"] == "true"


def test_it_answers_a_person_who_opens_the_fragment_with_the_page(at_marketer: Client) -> None:
    made = delivery()

    assert "<main" in at_marketer.get(url(made, "progress")).content.decode()


def test_it_rounds_progress_down(at_marketer: Client) -> None:
    made = delivery()
    Delivery.objects.filter(pk=made.pk).update(to_deliver=1000, started_at=timezone.now())
    first, _ = message_range(made.pk)
    Part.objects.create(delivery=made, first_id=first + 1, last_id=first + 1000, size=1000, sent=999)

    assert "(99 %)" in shown(at_marketer, made)


def test_it_groups_what_the_analysis_found_by_check(at_marketer: Client) -> None:
    made = analysed(delivery(people(1), html="<p>Hello</p>", sender_address=""))

    page = shown(at_marketer, made)
    found = page.partition("Warnings and errors")[2].partition("</section>")[0]

    assert found.index("Sender address") < found.index("Unsubscription link in the HTML content")
    assert "Unsubscription link in the HTML content:" in page.partition('id="journal"')[2]


def test_it_says_once_what_the_journal_says_many_times(at_marketer: Client) -> None:
    made = delivery(people(1))
    for sentence in ["The connection was lost.", "Another route stands in.", "The connection was lost."]:
        write_journal(made.pk, sentence, level=Level.WARNING)

    page = shown(at_marketer, made)

    found = page.partition('aria-labelledby="found"')[2].partition("</section>")[0]
    assert found.count("The connection was lost.") == found.count("Another route stands in.") == 1
    assert found.count("2 times, the last one on") == found.count("times, the last one") == 1


def test_a_proof_leads_to_its_delivery_and_to_no_page_that_it_has_not(at_marketer: Client) -> None:
    made = delivery(people(1))
    proof = send_proof(made, Proof(addresses=["tester@example.com"]))

    page = shown(at_marketer, proof)

    assert url(made) in page
    assert url(proof, "change") not in page
    assert "tester@example.com" in page
    assert "Proof #1" in shown(at_marketer, made)


def test_it_says_when_the_next_and_the_last_wave_leave(at_marketer: Client) -> None:
    made = confirmed(
        delivery(people(10), waves_mode=WavesMode.EQUAL, wave_size="40%", wave_interval=timedelta(hours=2))
    )
    Part.objects.filter(delivery=made, wave=1).update(sent=4, state=PartState.DONE)
    start = Delivery.objects.get(pk=made.pk).started_at
    assert start is not None
    Delivery.objects.filter(pk=made.pk).update(claimed_at=now())
    look = {"processed": "4", "since": start.isoformat(), "state": str(int(DeliveryState.IN_PROGRESS))}

    page = at_marketer.get(url(made, "progress"), look, headers={"HX-Request": "true"}).content.decode()

    spelled = [date_format(localtime(start + timedelta(hours=hours)), "j M Y, H:i") for hours in (2, 4)]
    assert f"The next messages may leave on {spelled[0]}" in page
    assert f"The last ones may leave from {spelled[1]}" in page


def looked_at(client: Client, made: Delivery, processed: int, since: datetime) -> str:
    """The progress of a delivery of which the page knew so much at that time."""
    look: dict[str, str | int] = {
        "processed": processed, "since": since.isoformat(), "state": int(DeliveryState.IN_PROGRESS),
    }  # fmt: skip
    return client.get(url(made, "progress"), look, headers={"HX-Request": "true"}).content.decode()


def test_its_pace_promises_no_end_before_the_last_wave(at_marketer: Client) -> None:
    made = confirmed(
        delivery(people(10), waves_mode=WavesMode.EQUAL, wave_size="40%", wave_interval=timedelta(hours=2))
    )
    Part.objects.filter(delivery=made, wave=1).update(sent=4, state=PartState.DONE)

    page = looked_at(at_marketer, made, 0, now() - timedelta(seconds=2))

    assert "left at this pace" not in page
    assert "The last ones may leave from" in page


def test_the_last_messages_take_a_second_and_not_none(at_marketer: Client) -> None:
    made = confirmed(delivery(people(10)))
    Part.objects.filter(delivery=made).update(sent=9)

    assert "about 1s left at this pace" in looked_at(at_marketer, made, 0, now() - timedelta(seconds=2))


def test_it_says_what_it_waits_for_while_nothing_moves(at_marketer: Client) -> None:
    made = confirmed(delivery(people(2)))
    at = now()

    assert "No worker has begun with it yet." in looked_at(at_marketer, made, 0, at)
    Delivery.objects.filter(pk=made.pk).update(claimed_at=at)
    assert "waits for the server’s answer, or for its turn where a rate is limited" in looked_at(
        at_marketer, made, 0, at
    )


def test_it_says_what_it_shares_with_deliveries_that_run_beside_it(
    at_marketer: Client, django_assert_max_num_queries: Any
) -> None:
    readers = people(3)
    limited = Route.objects.create(name="Slow relay", host="127.0.0.1", messages_per_second=150)
    made = confirmed(delivery(readers, label="Large", route=limited))
    at = now()
    alone = looked_at(at_marketer, made, 0, at)
    for label, priority in (("Peer", Priority.NORMAL), ("Low", Priority.LOW), ("High", Priority.HIGH)):
        confirmed(delivery(readers, label=label, priority=priority))
    over = confirmed(delivery(readers, label="Over", priority=Priority.HIGH))
    over.parts.update(state=PartState.DONE, sent=3)

    with django_assert_max_num_queries(10):
        page = " ".join(looked_at(at_marketer, made, 0, at).split())

    shared = f"The route “{limited}” lets 150 messages a second through, of all deliveries together."
    assert shared in alone
    assert "priority" not in alone
    assert shared in page
    assert "High</a> has a higher priority and goes first." in page
    assert "1 other delivery of the same priority gets as many messages." in page
    assert "Over</a>" not in page


def test_a_page_that_asks_about_a_deleted_delivery_is_led_to_the_list(at_marketer: Client) -> None:
    made = delivery()
    delete(made)

    response = at_marketer.get(url(made, "progress"), headers={"HX-Request": "true"})

    assert response["HX-Redirect"] == reverse("admin:deliveries_delivery_changelist")


@pytest.mark.parametrize("name", ["preview", "log", "proof", "failures", "exclusions", "file"])
def test_a_page_of_a_deleted_delivery_says_that_it_is_not_there(at_marketer: Client, name: str) -> None:
    made = delivery()
    delete(made)

    assert at_marketer.get(url(made, name)).status_code == at_marketer.post(url(made, name)).status_code == 404


def test_a_delivery_that_is_deleted_while_somebody_acts_on_it_is_not_there(
    at_marketer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody deletes it after the page has read it and before the act locks it."""
    made = delivery(people(1))

    def read(*_: object) -> Rights:
        delete(Delivery.objects.get(pk=made.pk))
        return Rights(view=True, edit=True)

    monkeypatch.setattr("deliveries.pages.proof.rights_of", read)

    response = at_marketer.post(url(made, "proof"), {"addresses": "tester@example.com", "formats": "as_sent"})

    assert response.status_code == 404


def test_it_offers_no_file_of_people_where_none_can_be_chosen_any_more(at_marketer: Client) -> None:
    made = analysed(delivery(people(2)))
    before = shown(at_marketer, made)
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.IN_PROGRESS)

    after = shown(at_marketer, made)

    assert url(made, "file") in before
    assert url(made, "file") not in after


def test_it_names_domains_that_get_less_because_their_servers_said_so(at_marketer: Client) -> None:
    made = confirmed(delivery(people(3)))
    turns = Throttle()
    turns.turn(7, 0.0, "slow.example")
    for _ in range(FEWEST_COMPLAINTS):
        turns.complain("slow.example")

    page = looked_at(at_marketer, made, 0, now())

    assert "In all deliveries these domains get less for now" in page
    assert "slow.example (" in page


def test_it_says_that_what_has_a_rate_waits_for_redis(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "brief_redis", lambda: redis.Redis.from_url("redis://127.0.0.1:1"))
    made = confirmed(delivery(people(3)))

    assert "Redis does not answer: what has a rate waits" in looked_at(at_marketer, made, 0, now())
