"""Which route a delivery leaves by, what stands in for it, and the connections that a lane keeps."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from campaign.lib.clock import now
from deliveries.models import Delivery, Message, Route, SenderDomainRoute
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.outages import FALLBACK_SECONDS, Outages
from deliveries.sending.routes import Connections, NoRoute, RouteBusy, route_of, routes_of
from deliveries.sending.worker import Worker
from deliveries.states import MessageState
from tests.deliveries.factories import builtin_blocks, confirmed, delivery, people, send, states
from tests.deliveries.sending.clock import Clock
from tests.deliveries.sending.servers import free_port, wait_for
from tests.deliveries.sending.sessions import elsewhere, in_lanes, slot_taken
from tests.smtp_sink import SinkThread, mails


@pytest.fixture
def lane(db: None, clock: Clock) -> Iterator[Connections]:
    """The connections of one lane in a process of its own."""
    lane = Connections(Outages(clock))
    yield lane
    lane.close()


@pytest.fixture
def relay(db: None, smtp_sink: SinkThread) -> Route:
    """A route whose server answers."""
    return Route.objects.create(name="Relay", host="127.0.0.1", port=smtp_sink.port, connection_limit=2)


@pytest.fixture
def broken(db: None) -> Route:
    """A route to where nobody listens."""
    return Route.objects.create(name="Broken", host="127.0.0.1", port=free_port())


@contextmanager
def connected(made: Delivery) -> Iterator[bool]:
    """Whether a lane gets a connection, and the connection as long as it is needed."""
    lane = Connections(Outages())
    try:
        lane.to(made)
        yield True
    except RouteBusy:
        yield False
    finally:
        lane.close()


def journal(made: Delivery) -> list[str]:
    return list(made.journal.values_list("sentence", flat=True))


def test_it_takes_the_deliverys_own_route_first(relay: Route, broken: Route) -> None:
    SenderDomainRoute.objects.create(domain="example.com", route=broken)

    assert route_of(delivery(route=relay)) == relay


@pytest.mark.parametrize("address", ["news@example.com", "news@EXAMPLE.com"])
def test_it_takes_the_route_of_the_senders_domain_next(relay: Route, broken: Route, address: str) -> None:
    SenderDomainRoute.objects.create(domain="aaa.example", route=broken)
    SenderDomainRoute.objects.create(domain="example.com", route=relay)

    assert route_of(delivery(sender_address=address)) == relay


@pytest.mark.parametrize("address", ["news@other.example.com", "news@example.org", "news", ""])
def test_it_takes_the_default_route_last(relay: Route, address: str) -> None:
    SenderDomainRoute.objects.create(domain="example.com", route=relay)
    made = delivery(sender_address=address)

    assert route_of(made) == Route.objects.get(is_default=True)


def test_it_says_that_there_is_no_route(db: None) -> None:
    made = delivery()
    Route.objects.all().delete()

    with pytest.raises(NoRoute, match="There is no route"):
        route_of(made)


def test_it_leaves_out_routes_that_are_not_active(relay: Route) -> None:
    middle = Route.objects.create(name="Middle", host="h", is_active=False, fallback=relay)
    first = Route.objects.create(name="First", host="h", is_active=False, fallback=middle)

    assert routes_of(delivery(route=first)) == [relay]


def test_it_says_that_no_route_is_active(db: None) -> None:
    off = Route.objects.create(name="Off", host="h", is_active=False)

    with pytest.raises(NoRoute, match=r"The route “Off” is not active, and no active route stands in for it\."):
        routes_of(delivery(route=off))


def test_it_is_not_caught_in_a_circle(relay: Route, broken: Route) -> None:
    Route.objects.filter(pk=relay.pk).update(fallback=broken)
    Route.objects.filter(pk=broken.pk).update(fallback=relay)

    assert routes_of(delivery(route=Route.objects.get(pk=broken.pk)))[:2] == [broken, relay]


def test_it_keeps_one_connection_for_a_route(lane: Connections, relay: Route, smtp_sink: SinkThread) -> None:
    made = delivery(route=relay)

    for _ in range(3):
        list(lane.to(made).send(mails(1)))

    assert (len(smtp_sink.messages), smtp_sink.sink.connections) == (3, 1)


def test_it_connects_anew_to_a_route_that_was_edited(lane: Connections, relay: Route, smtp_sink: SinkThread) -> None:
    former = lane.to(delivery(route=relay))
    relay.ehlo_name = "other.example"

    assert lane.to(delivery(route=relay)) is not former
    assert smtp_sink.events == ["EHLO", "QUIT", "EHLO"]


def test_it_has_no_more_connections_than_the_route_allows(relay: Route, smtp_sink: SinkThread) -> None:
    made = delivery(route=relay)

    answers = in_lanes(5, lambda: connected(made))

    assert sorted(answers) == [False, False, False, True, True]
    assert smtp_sink.sink.connections == 2


def test_it_says_that_the_route_is_busy(lane: Connections, relay: Route, smtp_sink: SinkThread) -> None:
    relay.connection_limit = 1
    made = delivery(route=relay)

    with elsewhere(relay), pytest.raises(RouteBusy, match="All 1 connections that the route “Relay” allows are in use"):
        lane.to(made)
    lane.to(made)

    assert smtp_sink.sink.connections == 1


def test_it_counts_nothing_without_a_limit(relay: Route) -> None:
    relay.connection_limit = 0
    made = delivery(route=relay)

    assert in_lanes(4, lambda: connected(made)) == [True] * 4


def test_it_gives_its_slot_back_when_it_closes(lane: Connections, relay: Route) -> None:
    relay.connection_limit = 1
    made = delivery(route=relay)

    lane.to(made)
    lane.close()

    with elsewhere(relay):
        pass


def test_it_holds_no_slot_of_a_server_that_does_not_answer(lane: Connections, broken: Route) -> None:
    broken.connection_limit = 1
    with pytest.raises(RouteUnavailable):
        lane.to(delivery(route=broken))

    with elsewhere(broken):
        pass


def test_it_closes_a_connection_above_a_limit_that_was_lowered(
    lane: Connections, relay: Route, smtp_sink: SinkThread
) -> None:
    made = delivery(route=relay)
    with elsewhere(relay):
        lane.to(made)
        relay.connection_limit = 1

        with pytest.raises(RouteBusy):
            lane.to(made)

    assert smtp_sink.events == ["EHLO", "QUIT"]


@pytest.mark.django_db(transaction=True)
def test_it_takes_its_slot_anew_after_the_database_connection_was_lost(
    lane: Connections, relay: Route, smtp_sink: SinkThread
) -> None:
    relay.connection_limit = 1
    made = delivery(route=relay)
    lane.to(made)
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    wait_for(lambda: in_lanes(1, lambda: slot_taken(relay)) != [None])

    with elsewhere(relay), pytest.raises(RouteBusy):
        lane.to(made)
    lane.to(made)

    assert in_lanes(1, lambda: slot_taken(relay)) == [None]
    assert smtp_sink.events == ["EHLO", "QUIT", "EHLO"]


def test_it_uses_the_fallback_while_a_route_is_down(
    lane: Connections, relay: Route, broken: Route, smtp_sink: SinkThread
) -> None:
    broken.fallback = relay
    made = delivery(route=broken)

    outcomes = [reply.accepted for _, reply in lane.to(made).send(mails(2))]

    assert outcomes == [True, True]
    (sentence,) = journal(made)
    assert sentence == (
        f"The route “Broken” cannot be used, “Relay” stands in for it. The SMTP server 127.0.0.1:{broken.port} refused "
        "the connection. Check host and port of the route “Broken”."
    )


def test_it_tells_only_once(lane: Connections, relay: Route, broken: Route) -> None:
    broken.fallback = relay
    made = delivery(route=broken)

    for _ in range(3):
        lane.to(made)

    assert len(journal(made)) == 1


def test_it_tells_that_a_route_is_not_active(lane: Connections, relay: Route) -> None:
    off = Route.objects.create(name="Off", host="h", is_active=False, fallback=relay)
    made = delivery(route=off)

    lane.to(made)

    assert journal(made) == ["The route “Off” cannot be used, “Relay” stands in for it. It is not active."]


def test_it_tries_the_first_route_again_after_a_minute(
    lane: Connections, relay: Route, clock: Clock, smtp_sink: SinkThread
) -> None:
    other = Route.objects.create(name="Other", host="127.0.0.1", port=free_port(), fallback=relay)
    made = delivery(route=other)
    stand_in = lane.to(made)
    listening = SinkThread(other.port)
    listening.start()

    clock.seconds += FALLBACK_SECONDS - 1
    before = lane.to(made)
    clock.seconds += 1
    after = lane.to(made)
    lane.close()
    listening.stop()

    assert before is stand_in
    assert after is not stand_in
    assert (smtp_sink.sink.connections, listening.sink.connections) == (1, 1)


def test_it_tries_a_route_at_once_that_was_mended(
    lane: Connections, relay: Route, broken: Route, smtp_sink: SinkThread
) -> None:
    spare = Route.objects.create(name="Spare", host="127.0.0.1", port=smtp_sink.port)
    broken.fallback = spare
    made = delivery(route=broken)
    stand_in = lane.to(made)

    broken.port = smtp_sink.port

    assert lane.to(made) is not stand_in


def test_it_says_of_every_route_why_none_can_be_used(lane: Connections, broken: Route) -> None:
    broken.fallback = Route.objects.create(name="Worse", host="127.0.0.1", port=free_port())
    made = delivery(route=broken)

    with pytest.raises(RouteUnavailable, match=r"route “Broken”\. .* route “Worse”\."):
        lane.to(made)


def test_it_tries_every_route_when_all_failed_lately(lane: Connections, broken: Route, smtp_sink: SinkThread) -> None:
    port = free_port()
    broken.fallback = Route.objects.create(name="Worse", host="127.0.0.1", port=port)
    made = delivery(route=broken)
    with pytest.raises(RouteUnavailable):
        lane.to(made)
    listening = SinkThread(port)
    listening.start()

    lane.to(made)
    lane.close()
    listening.stop()

    assert listening.sink.connections == 1


def test_it_does_not_fall_back_from_a_busy_route(lane: Connections, relay: Route, smtp_sink: SinkThread) -> None:
    relay.connection_limit = 1
    relay.fallback = Route.objects.create(name="Spare", host="127.0.0.1", port=smtp_sink.port)
    made = delivery(route=relay)

    with elsewhere(relay), pytest.raises(RouteBusy):
        lane.to(made)

    assert smtp_sink.sink.connections == 0


def test_it_needs_no_password_of_a_route_it_does_not_use(lane: Connections, relay: Route, broken: Route) -> None:
    broken.sealed_password = "sealed by nobody"
    relay.fallback = broken

    lane.to(delivery(route=relay))


def test_it_uses_the_fallback_of_a_route_whose_password_cannot_be_read(
    lane: Connections, relay: Route, broken: Route
) -> None:
    broken.sealed_password = "sealed by nobody"
    broken.fallback = relay
    made = delivery(route=broken)

    lane.to(made)

    (sentence,) = journal(made)
    assert "SECRET_KEY has changed" in sentence


def test_it_says_that_the_password_of_the_only_route_cannot_be_read(lane: Connections, broken: Route) -> None:
    broken.sealed_password = "sealed by nobody"

    with pytest.raises(RouteUnavailable, match="SECRET_KEY has changed"):
        lane.to(delivery(route=broken))


def test_it_asks_the_database_only_for_the_route_once_it_is_connected(
    lane: Connections, relay: Route, django_assert_num_queries: Any
) -> None:
    SenderDomainRoute.objects.create(domain="example.com", route=relay)
    made = delivery()
    lane.to(made)

    with django_assert_num_queries(1):
        lane.to(made)


@pytest.mark.django_db
def test_it_sends_a_whole_delivery_by_the_fallback(
    worker: Worker, relay: Route, broken: Route, smtp_sink: SinkThread
) -> None:
    broken.fallback = relay
    broken.save()
    made = confirmed(delivery(people(5), route=broken))

    send(worker, made)

    assert states(made) == [MessageState.SENT] * 5
    assert len(smtp_sink.messages) == 5


@pytest.mark.django_db(transaction=True)
def test_it_sends_everything_over_the_only_connection_allowed(
    relay: Route, smtp_sink: SinkThread, tmp_path: Path
) -> None:
    builtin_blocks()
    Route.objects.filter(pk=relay.pk).update(connection_limit=1)
    relay.refresh_from_db()
    made = confirmed(delivery(people(40), route=relay, part_size=5))
    until = now() + timedelta(seconds=15)

    def work() -> None:
        worker = Worker(tmp_path)
        try:
            while Message.objects.of_delivery(made.pk).filter(state=MessageState.PENDING).exists() and now() < until:
                worker.work(until)
                time.sleep(0.05)
        finally:
            worker.close()
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert states(made) == [MessageState.SENT] * 40
    assert smtp_sink.sink.most_open == 1
